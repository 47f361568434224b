import { allowed, pathPattern } from '../../../shared/http/routes.ts'
import { scalingOf } from '../../../shared/spec/define-function.ts'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'

/** A function that answers HTTP, and the routes that lead to it. */
export interface Service {
  readonly slug: string
  /** Longest that it may take to answer, in milliseconds. */
  readonly timeout: number
  readonly routes: readonly Route[]
}

export interface Route {
  readonly name: string
  /** None are all. */
  readonly methods: readonly string[]
  /** A regular expression that holds from end to end, in what Rust, PCRE and JavaScript have alike. */
  readonly pattern: string
  readonly priority: number
  readonly isPublic: boolean
}

/** Where a path has no function for a method. */
export interface Refusal extends Route {
  readonly allow: string
  /** A function of this path, for platforms where no route may lead nowhere. */
  readonly slug: string
}

export interface Routes {
  readonly services: readonly Service[]
  readonly refusals: readonly Refusal[]
}

interface Path {
  readonly path: string
  readonly slug: string
  readonly methods: Set<string>
  isPublic: boolean
}

/** What a gateway has to know of the functions. */
export function routesOf(functions: readonly DiscoveredFunction[]): Routes {
  const paths = new Map<string, Path>()
  const services = functions.flatMap(({ name: { slug }, declaration }): Service[] => {
    const { trigger } = declaration
    if (trigger.kind !== 'http') return []
    const routes = Object.entries(trigger.operations).map(([operation, { method, path, public: open }]) => {
      const name = `${slug}-${operation}`
      const methods = method === 'GET' ? ['GET', 'HEAD'] : [method]
      const found = paths.get(path) ?? { path, slug, methods: new Set(), isPublic: false }
      for (const one of methods) found.methods.add(one)
      found.isPublic ||= open === true
      paths.set(path, found)
      return { name, methods, ...shapeOf(path), isPublic: open === true }
    })
    return [{ slug, timeout: scalingOf(declaration).timeout * 1000, routes }]
  })
  return { services, refusals: [...paths.values()].flatMap((path) => refusalsOf(path, [...paths.values()])) }
}

const shapeOf = (path: string): Pick<Route, 'pattern' | 'priority'> => ({
  pattern: pathPattern(path),
  // A literal path before one with parameters.
  priority: 10 - path.split('{').length,
})

/**
 * Kong prefers a route that names methods to one that does not, whatever their priorities. So one without methods gets
 * what no function has; but where a wider path would take a method (DELETE /api/students/health for an id), one with just
 * those methods has to be there.
 */
function refusalsOf({ path, slug, methods, isPublic }: Path, all: readonly Path[]): Refusal[] {
  const allow = allowed(methods).join(', ')
  const shape = { ...shapeOf(path), isPublic, allow, slug }
  const sample = path.replaceAll(/\{\w+\}/g, 'x')
  const wider = all.filter(
    (other) => shapeOf(other.path).priority < shape.priority && matches(other.path, sample),
  )
  const taken = new Set(wider.flatMap((other) => [...other.methods]).filter((method) => !methods.has(method)))
  const refusal = { ...shape, name: nameOf(path), methods: [] }
  return taken.size === 0
    ? [refusal]
    : [refusal, { ...refusal, name: `${refusal.name}-first`, methods: [...taken] }]
}

/** `refuse-students-id-courses` */
const nameOf = (path: string): string =>
  path
    .replace('/api/', 'refuse-')
    .replaceAll(/[^a-z\d]+/g, '-')
    .replace(/-$/, '')

const matches = (path: string, raw: string): boolean => new RegExp(`^${pathPattern(path)}`).test(raw)
