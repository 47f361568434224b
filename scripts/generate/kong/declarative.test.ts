import { execFileSync, spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import { discoverFunctions } from '../../../shared/spec/discover.ts'
import { functionName } from '../../../shared/spec/names.ts'
import { matchPath, readRoutes } from '../../local/routes.ts'
import { kong } from '../kong.ts'
import { type Base, readBase } from './base.ts'
import { declarative } from './declarative.ts'
import { routesOf } from './routes.ts'
import { kongRouter } from './testing/router.ts'
import { kongFile } from './testing/schema.ts'

const root = join(import.meta.dirname, '../../..')
const functions = await discoverFunctions(root)
const text = await readFile(join(root, 'kong/kong.yml'), 'utf8')
const file = v.parse(kongFile, parse(text))
const operations = functions.flatMap(({ name, declaration: { trigger } }) =>
  trigger.kind === 'http'
    ? Object.entries(trigger.operations).map(([own, operation]) => ({
        name: `${name.slug}-${own}`,
        operation,
      }))
    : [],
)
const configOf = (name: string): unknown => file.plugins.find((one) => one.name === name)?.config

test('everything in kong/ is as it is generated', async () => {
  for (const [path, content] of await kong(root, functions))
    expect(await readFile(join(root, path), 'utf8'), path).toBe(content)
})

test('each operation has a route of its own, and each that is not public has key-auth', () => {
  const routes = file.services.flatMap((service) => service.routes)
  expect(routes.map(({ name }) => name).sort()).toEqual(operations.map(({ name }) => name).sort())
  for (const { name, operation } of operations) {
    const route = routes.find((one) => one.name === name)
    const guards = route?.plugins?.filter((plugin) => plugin.name === 'key-auth') ?? []
    expect(guards, name).toHaveLength(operation.public ? 0 : 1)
    expect(route?.methods).toContain(operation.method)
  }
  for (const { name, plugins = [] } of file.routes) {
    const open = /^refuse-(docs|openapi)/.test(name)
    expect(plugins.map((plugin) => plugin.name)).toEqual([...(open ? [] : ['key-auth']), 'post-function'])
  }
})

test('a function may take as long as it is declared to', () => {
  for (const service of file.services)
    expect([service.read_timeout, service.write_timeout]).toEqual([30_000, 30_000])
})

test('limits, ids and metrics are of all routes, and limits are in Redis', () => {
  expect(configOf('request-size-limiting')).toMatchObject({
    allowed_payload_size: 65_536,
    size_unit: 'bytes',
  })
  expect(configOf('rate-limiting')).toMatchObject({ policy: 'redis', redis: { port: 6379 } })
  expect(configOf('correlation-id')).toBeDefined()
  expect(configOf('prometheus')).toBeDefined()
  expect(configOf('cors')).toBeUndefined()
})

test('CORS is for the origins that base.yml has', async () => {
  const base: Base = await readBase(root, ['https://app.example.org'])
  const made = v.parse(kongFile, parse(declarative(base, routesOf(functions))))
  expect(made.plugins.find(({ name }) => name === 'cors')?.config).toMatchObject({
    origins: ['https://app.example.org'],
    credentials: false,
  })
})

test('no file has a credential', async () => {
  for (const [path, content] of await kong(root, functions)) {
    expect(content, path).not.toMatch(/keyauth_credentials|kind: Secret/)
    // Passwords are references: to a vault, or to variables.
    for (const [, value] of content.matchAll(/^\s*\w*(?:password|PASSWORD|API_KEYS): *(\S+)/gm))
      expect(value, path).toMatch(/^"?(\{vault:|\$\{)/)
    for (const [, value] of content.matchAll(/:\/\/[^/@:\s]*:([^@\s/]+)@/g))
      expect(value, path).toMatch(/^\$\{/)
  }
  const example = await readFile(join(root, 'kong/.env.example'), 'utf8')
  for (const [, value] of example.matchAll(/^[A-Z_]+=(.*)$/gm)) expect(value).toBe('')
  expect(await readFile(join(root, 'kong/credential.example.yaml'), 'utf8')).toMatch(/^ {2}key: ""$/m)
})

describe('routes', async () => {
  const find = kongRouter(file)
  const local = await readRoutes(join(root, 'kong/kong.yml'))

  /** What the local gateway does, and what Kong does: a function, a refusal with Allow, or nothing. */
  function both(method: string, path: string): [string, string] {
    const found = matchPath(local, path)
    const here = found ? (found.methods.get(method) ?? `405 ${found.allow}`) : '404'
    const choice = find(method, path)
    const code = choice?.route.plugins?.map(({ config }) => String(config['access'])).join('') ?? ''
    const [, allow] = /local allow = "(.*)"/.exec(code) ?? []
    const there = choice ? (choice.service ?? `405 ${allow}`) : '404'
    return [there, here]
  }

  const ids = [
    '01a20c7b-b3ab-723b-9f2c-934f944833dd',
    '6b053e63520d52559ccd15dd',
    '1',
    '%00',
    '..%2f',
    '%24gt',
    'health-',
  ]
  const paths = [
    ...operations.flatMap(({ operation: { path } }) => ids.map((id) => path.replaceAll(/\{\w+\}/g, id))),
    ...operations.flatMap(({ operation: { path } }) => [
      `${path}/`,
      `${path}x`,
      `/x${path}`,
      path.slice(0, -1),
    ]),
    ...[
      '/',
      '/api',
      '/api/',
      '/api/students/1/nothing',
      '/api/openapi-json',
      '/metrics',
      '/API/students',
      '/api/students\n',
    ],
  ]
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PURGE']

  test.each(methods)('%s leads where the local gateway has it', (method) => {
    for (const path of new Set(paths)) {
      const [there, here] = both(method, path)
      expect(there, `${method} ${path}`).toBe(here)
    }
  })

  test('a literal path keeps its own methods from a wider one', () => {
    expect(both('DELETE', '/api/students/health')).toEqual([
      '405 GET, HEAD, OPTIONS',
      '405 GET, HEAD, OPTIONS',
    ])
    expect(both('GET', '/api/students/health')[0]).toBe('students-get')
  })

  test('a new function brings its routes, and a wider path only what narrower ones leave', () => {
    const params = { id: v.string() }
    const success = { status: 200, description: 'it' } as const
    const added: DiscoveredFunction[] = [
      {
        name: functionName('rooms/seat'),
        dir: '',
        declaration: {
          summary: 'Seats',
          needs: [],
          trigger: {
            kind: 'http',
            operations: {
              all: { method: 'GET', path: '/api/rooms/{id}/all', summary: '', params, success },
              any: { method: 'DELETE', path: '/api/rooms/{id}/{seat}', summary: '', params, success },
            },
          },
        },
      },
    ]
    const { services, refusals } = routesOf(added)
    expect(services[0]?.routes.map(({ name, pattern }) => [name, pattern])).toEqual([
      ['rooms-seat-all', '/api/rooms/(?<id>[^/]+)/all$'],
      ['rooms-seat-any', '/api/rooms/(?<id>[^/]+)/(?<seat>[^/]+)$'],
    ])
    expect(refusals.map(({ name, methods, allow }) => [name, methods, allow])).toEqual([
      ['refuse-rooms-id-all', [], 'GET, HEAD, OPTIONS'],
      ['refuse-rooms-id-all-first', ['DELETE'], 'GET, HEAD, OPTIONS'],
      ['refuse-rooms-id-seat', [], 'DELETE, OPTIONS'],
    ])
  })
})

const deck = spawnSync('deck', ['version']).status === 0
if (!deck) console.warn('SKIPPED: no deck here, so kong.yml is checked by our own schema alone')
test.skipIf(!deck)('deck takes kong.yml', () => {
  const env = { ...process.env, DECK_ANALYTICS: 'off' }
  execFileSync('deck', ['file', 'validate', 'kong/kong.yml'], { cwd: root, env })
})
