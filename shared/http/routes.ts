import type { Operation } from '../spec/define-function.ts'

export interface Route {
  readonly name: string
  readonly operation: Operation
}

interface Path {
  readonly pattern: RegExp
  /** The pattern's groups, in their order. */
  readonly parameters: readonly string[]
  /** By method. */
  readonly routes: ReadonlyMap<string, Route>
  readonly allow: string
}

export interface Match {
  /** The operation, when the path has one for the method. */
  readonly route: Route | undefined
  readonly params: Readonly<Record<string, string>>
  /** Every method that the path answers. */
  readonly allow: string
}

/** A path with its parameters as named groups, matching from end to end. */
export function pathPattern(path: string): string {
  return `${path.replaceAll(/[.]/g, '\\$&').replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`
}

/** All methods that a path answers whose operations have these. */
export function allowed(methods: Iterable<string>): string[] {
  const all = new Set(methods)
  if (all.has('GET')) all.add('HEAD')
  all.add('OPTIONS')
  return [...all]
}

/** Finds a function's operation for a method and a raw path; a literal path wins over one with parameters. */
export function router(operations: Readonly<Record<string, Operation>>) {
  const routesOf = new Map<string, Map<string, Route>>()
  for (const [name, operation] of Object.entries(operations)) {
    const { path, method } = operation
    const routes = routesOf.get(path) ?? new Map<string, Route>()
    routesOf.set(path, routes.set(method, { name, operation }))
  }
  const paths = Array.from(
    routesOf,
    ([path, routes]): Path => ({
      // Found by their order: an object of groups takes as long to make as the match.
      pattern: new RegExp(`^${pathPattern(path).replaceAll(/\?<\w+>/g, '')}`),
      parameters: Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => name),
      routes,
      allow: allowed(routes.keys()).join(', '),
    }),
  ).sort((a, b) => a.parameters.length - b.parameters.length)
  return (method: string, path: string): Match | undefined => {
    for (const { pattern, parameters, routes, allow } of paths) {
      const match = pattern.exec(path)
      if (!match) continue
      const route = routes.get(method === 'HEAD' ? 'GET' : method)
      const params: Record<string, string> = {}
      for (const [i, name] of parameters.entries()) params[name] = match[i + 1] ?? ''
      return { route, params, allow }
    }
    return undefined
  }
}
