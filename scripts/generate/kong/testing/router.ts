import type { KongFile, KongRoute } from './schema.ts'

export interface Choice {
  readonly route: KongRoute
  /** The function that it leads to, if it leads to one. */
  readonly service: string | undefined
}

/**
 * Kong's router, of the flavor `traditional_compatible`, as far as our routes go: the criteria that a route has count
 * first, then its priority, then the length of its path (kong/router/transform.lua).
 */
export function kongRouter({
  services,
  routes,
}: KongFile): (method: string, rawPath: string) => Choice | undefined {
  const all = [
    ...services.flatMap(({ name, routes }) => routes.map((route): Choice => ({ route, service: name }))),
    ...routes.map((route): Choice => ({ route, service: undefined })),
  ].map((choice) => ({ ...choice, pattern: new RegExp(`^${choice.route.paths[0]?.slice(1)}`) }))
  const sorted = all.toSorted(
    ({ route: a }, { route: b }) =>
      Number(b.methods !== undefined) - Number(a.methods !== undefined) ||
      b.regex_priority - a.regex_priority,
  )
  return (method, rawPath) => {
    const path = normalized(rawPath)
    return sorted.find(
      ({ route, pattern }) => (route.methods?.includes(method) ?? true) && pattern.test(path),
    )
  }
}

/** As Kong does before it matches (kong/tools/uri.lua): escapes decoded but of reserved characters, slashes merged, dots resolved. */
export function normalized(rawPath: string): string {
  const decoded = rawPath.replaceAll(/%([\dA-F]{2})/gi, (sent, hex) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return /[!#$%&'()*+,/:;=?@[\]]/.test(character) ? sent.toUpperCase() : character
  })
  const merged = decoded.replaceAll(/\/{2,}/g, '/')
  const kept: string[] = []
  for (const part of merged.split('/').slice(1)) {
    if (part === '..') kept.pop()
    else if (part !== '.') kept.push(part)
  }
  return `/${kept.join('/')}${/\/\.{1,2}$/.test(merged) && kept.length > 0 ? '/' : ''}`
}
