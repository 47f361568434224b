/** Why the run cannot start or go on: one sentence for people each, shown without a stack. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly problems: readonly string[]

  constructor(...problems: string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** A URL without its password, fit to be shown. */
export function masked(url: string): string {
  if (!URL.canParse(url)) return url.replace(/\/\/[^@/]*@/, '//***@').slice(0, 80)
  const { protocol, username, host, pathname } = new URL(url)
  // The query may carry credentials too.
  return `${protocol}//${username ? '***@' : ''}${host}${pathname === '/' ? '' : pathname}`
}
