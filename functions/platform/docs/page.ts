/** Paths of what the page is made of. */
export interface PageParts {
  readonly document: string
  readonly styles: readonly string[]
  readonly scripts: readonly string[]
  readonly icon: string
}

/** The page as HTML: nothing in it is inline, so that its policy can forbid that. */
export function page({ document, styles, scripts, icon }: PageParts): string {
  const lines = [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<title>Registrar API</title>',
    ...styles.map((href) => `<link rel="stylesheet" href="${href}">`),
    `<link rel="icon" type="image/png" href="${icon}">`,
    '</head>',
    '<body>',
    `<main id="docs" data-document="${document}"></main>`,
    `<noscript><p>This page needs JavaScript. <a href="${document}">The description itself</a> does not.</p></noscript>`,
    ...scripts.map((src) => `<script src="${src}"></script>`),
    '</body>',
    '</html>',
  ]
  return `${lines.join('\n')}\n`
}

/** Everything from this origin, the styles' own pictures apart; `data:` is theirs. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')
