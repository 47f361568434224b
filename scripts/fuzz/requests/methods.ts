/** Declared or not. */
export const methods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'QUERY',
] as const

/** Path parameters with other texts. */
export const mapped = (texts: Readonly<Record<string, string>>, to: () => string): Record<string, string> =>
  Object.fromEntries(Object.keys(texts).map((name) => [name, to()]))
