import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { allowed } from '../../shared/http/routes.ts'
import { Refusal } from './refusal.ts'

/** A path as kong.yml has it, and who answers its methods. */
export interface GatewayPath {
  readonly pattern: RegExp
  readonly isPublic: boolean
  /** Slugs of functions by method. */
  readonly methods: ReadonlyMap<string, string>
  /** For the header Allow. */
  readonly allow: string
}

export interface GatewayRoutes {
  readonly paths: readonly GatewayPath[]
  /** Names under which the key may come. */
  readonly keyNames: readonly string[]
}

interface KongPlugin {
  readonly name: string
  readonly config?: { readonly key_names?: readonly string[] }
}

interface KongRoute {
  readonly name: string
  readonly paths?: readonly string[]
  readonly methods?: readonly string[]
  readonly regex_priority?: number
  readonly plugins?: readonly KongPlugin[]
}

interface KongFile {
  readonly services?: readonly { readonly name: string; readonly routes?: readonly KongRoute[] }[]
}

/** Reads the gateway's part of a DB-less Kong configuration. */
export async function readRoutes(file: string): Promise<GatewayRoutes> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new Refusal(`The routes in ${file} cannot be read: run npm run generate.`)
  })
  const kong: KongFile = parse(text) ?? {}
  const keyAuth = kong.services?.flatMap(({ routes = [] }) => routes.flatMap(keyAuthOf))[0]
  return { paths: pathsOf(kong), keyNames: keyAuth?.config?.key_names ?? ['x-api-key', 'apikey'] }
}

/** Its plugin key-auth; a route without it is public. */
const keyAuthOf = ({ plugins = [] }: KongRoute): KongPlugin[] =>
  plugins.filter(({ name }) => name === 'key-auth')

interface Gathered {
  readonly priority: number
  isPublic: boolean
  readonly methods: Map<string, string>
}

function pathsOf({ services = [] }: KongFile): GatewayPath[] {
  const gathered = new Map<string, Gathered>()
  for (const { name: slug, routes = [] } of services) {
    for (const route of routes) {
      const { paths = [], methods = [], regex_priority: priority = 0 } = route
      for (const path of paths) {
        const found = gathered.get(path) ?? { priority, isPublic: false, methods: new Map<string, string>() }
        gathered.set(path, found)
        found.isPublic ||= keyAuthOf(route).length === 0
        for (const method of methods) if (method !== 'OPTIONS') found.methods.set(method, slug)
      }
    }
  }
  return [...gathered]
    .sort(
      ([a, one], [b, other]) =>
        other.priority - one.priority || parameters(a) - parameters(b) || b.length - a.length,
    )
    .map(([path, { isPublic, methods }]) => {
      const allow = allowed(methods.keys()).join(', ')
      return { pattern: regexOf(path), isPublic, methods, allow }
    })
}

const parameters = (path: string): number => path.split('(').length

/** `~` marks a regular expression, anchored at its beginning; anything else is a prefix. */
function regexOf(path: string): RegExp {
  if (path.startsWith('~')) return new RegExp(`^(?:${path.slice(1)})`)
  return new RegExp(`^${path.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}`)
}

/**
 * The most specific path that matches decides, its missing methods included. The path is matched as it was sent:
 * decoding or resolving dots could make another route of it.
 */
export function matchPath({ paths }: GatewayRoutes, rawPath: string): GatewayPath | undefined {
  return paths.find(({ pattern }) => pattern.test(rawPath))
}
