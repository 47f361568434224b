import { type Path, type Problem, pathOf } from './problem.ts'

/**
 * The value in a form that remembers which of its fields are asked for. A compiled JSON schema asks every object for
 * exactly the fields that it knows; it lists the fields of one that is a map, and asks one that is free nothing. So what
 * it did not ask for is a field that there is not: the schemas themselves let those pass.
 */
export function watched<T extends object>(value: T): { readonly value: T; unknown(): Problem[] } {
  const seen = new Map<object, Watch>()
  return {
    value: watch(value, [], seen),
    unknown: () => [...seen.values()].flatMap(unknownOf),
  }
}

interface Watch {
  readonly proxy: object
  readonly target: object
  readonly path: Path
  readonly asked: Set<string>
  listed: boolean
}

function watch<T extends object>(target: T, path: Path, seen: Map<object, Watch>): T {
  const there = seen.get(target)
  if (there) return there.proxy as T
  const asked = new Set<string>()
  const proxy: T = new Proxy(target, {
    get(_, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof key !== 'string') return value
      asked.add(key)
      return isObject(value) ? watch(value, [...path, key], seen) : value
    },
    ownKeys() {
      made.listed = true
      return Reflect.ownKeys(target)
    },
  })
  const made: Watch = { proxy, target, path, asked, listed: false }
  seen.set(target, made)
  return proxy
}

function unknownOf({ target, path, asked, listed }: Watch): Problem[] {
  if (Array.isArray(target) || listed || asked.size === 0) return []
  return Object.keys(target)
    .filter((key) => !asked.has(key))
    .map((key) => ({ path: pathOf([...path, key]), text: 'there is no such field' }))
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
