import * as v from 'valibot'
import { expect, it } from 'vitest'
import { Failure } from '../errors.ts'
import { httpApp, httpMiddleware } from '../hosts/http-app.ts'
import type { Call } from '../http/call.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { defineFunction } from '../spec/define-function.ts'
import { type CacheReader, caching } from './caching.ts'
import { type Context, compose, type Middleware } from './middleware.ts'

const declaration = defineFunction({
  summary: 'for this test',
  trigger: {
    kind: 'http',
    operations: {
      get: {
        method: 'GET',
        path: '/api/things/{id}',
        summary: 'Read one',
        params: { id: v.pipe(v.string(), v.regex(/^\d+$/)) },
        success: { status: 200, description: 'It' },
        cache: 'id',
      },
    },
  },
  needs: [],
})

const request = (more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  path: '/api/things/1',
  query: '',
  headers: {},
  values: () => [],
  body: async () => new Uint8Array(),
  ...more,
})

it('composes with the first of the list as the outermost, in and out', async () => {
  const steps: string[] = []
  const named =
    (name: string): Middleware<string, string> =>
    (next) =>
    async (input, context) => {
      steps.push(`into ${name}`)
      const output = await next(`${input}${name}`, context)
      steps.push(`out of ${name}`)
      return `${output}${name}`
    }
  const invoke = compose([named('a'), named('b'), named('c')], async (input) => `${input}|`)
  // No middleware of this test looks at it.
  expect(await invoke('', {} as Context)).toBe('abc|cba')
  expect(steps).toEqual(['into a', 'into b', 'into c', 'out of c', 'out of b', 'out of a'])
})

it('has tracing around logging around the making of problems around all that may fail', async () => {
  expect(httpMiddleware({}).length).toBe(6)
  const steps: string[] = []
  const context: Context = {
    function: 'things/get',
    trigger: 'http',
    method: 'GET',
    parent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    trace: { traceId: 'none', traceparent: '', run: (work) => work(), setAttribute: () => {}, end: () => {} },
    outcome: 'ok',
    fields: {},
  }
  const cache: CacheReader = {
    async through(_namespace, _variant, load) {
      steps.push('into the cache')
      const value = await load()
      steps.push('out of the cache')
      return { value, result: 'miss' }
    },
  }
  const list = httpMiddleware({ cache })
  const spied = list.map(
    (middleware, i): Middleware<Call, HttpResponse> =>
      (next) => {
        const inner = middleware(next)
        return async (call, given) => {
          steps.push(
            `into ${i}: trace ${given.trace.traceId.slice(0, 4)}, query ${call.query === undefined ? 'raw' : 'parsed'}`,
          )
          const response = await inner(call, given)
          steps.push(
            `out of ${i}: ${response.status}, ${given.outcome}, status in the log ${given.fields['status'] ?? 'not yet'}`,
          )
          return response
        }
      },
  )
  const operation = declaration.trigger.operations.get
  const call: Call = {
    request: request({ headers: { 'if-none-match': '"v1"' } }),
    operation,
    name: 'get',
    params: { id: '1' },
    query: undefined,
    body: undefined,
  }
  const invoke = compose(spied, async () => {
    steps.push('handler')
    return { status: 200, headers: { etag: '"v1"' }, body: '{}' }
  })
  expect((await invoke(call, context)).status).toBe(304)
  expect(steps).toEqual([
    'into 0: trace none, query raw', // tracing
    'into 1: trace aaaa, query raw', // logging
    'into 2: trace aaaa, query raw', // problems
    'into 3: trace aaaa, query raw', // parsing
    'into 4: trace aaaa, query parsed', // conditional
    'into 5: trace aaaa, query parsed', // caching
    'into the cache',
    'handler',
    'out of the cache',
    'out of 5: 200, ok, status in the log not yet',
    'out of 4: 304, ok, status in the log not yet',
    'out of 3: 304, ok, status in the log not yet',
    'out of 2: 304, ok, status in the log 304',
    'out of 1: 304, ok, status in the log 304',
    'out of 0: 304, ok, status in the log 304',
  ])
})

it('turns whatever is thrown into a problem, an unknown error without a word of it', async () => {
  const errors = [new Failure('conflict', { detail: 'taken' }), new Error('secret'), 'secret', undefined]
  for (const [i, error] of errors.entries()) {
    const app = httpApp({ name: 'things/get', declaration, handlers: { get: () => Promise.reject(error) } })
    const response = await app(request())
    expect(response.status).toBe(i === 0 ? 409 : 500)
    expect(String(response.body)).not.toContain('secret')
    expect(JSON.parse(String(response.body)).code).toBe(i === 0 ? 'conflict' : 'internal')
  }
})

it('asks the cache for nothing that parsing refuses', async () => {
  let asked = 0
  const cache: CacheReader = {
    async through(_namespace, _variant, load) {
      asked++
      return { value: await load(), result: 'miss' }
    },
  }
  const app = httpApp({
    name: 'things/get',
    declaration,
    cache,
    handlers: { get: async () => ({ body: {} }) },
  })
  expect((await app(request({ path: '/api/things/x' }))).status).toBe(404)
  expect((await app(request({ query: 'a=1' }))).status).toBe(400)
  expect(asked).toBe(0)
  expect((await app(request())).status).toBe(200)
  expect(asked).toBe(1)
})

it('says bypass where an operation is not cached, and nothing where it is no reading', async () => {
  const answer = async (): Promise<HttpResponse> => ({ status: 200, headers: {} })
  const { cache: _, ...uncached } = declaration.trigger.operations.get
  const call: Call = {
    request: request(),
    operation: uncached,
    name: 'get',
    params: {},
    query: {},
    body: undefined,
  }
  const invoke = caching(undefined)(answer)
  const context = {} as Context
  expect((await invoke(call, context)).headers).toEqual({ 'cache-status': 'registrar; fwd=bypass' })
  expect((await invoke({ ...call, operation: { ...uncached, method: 'PUT' } }, context)).headers).toEqual({})
})

it('gives each of many readers of one cached value headers of their own', async () => {
  const value = '{"etag":"\\"v1\\""}\n{"data":{}}'
  const cache: CacheReader = { through: async () => ({ value, result: 'hit' }) }
  const operation = declaration.trigger.operations.get
  const call: Call = {
    request: request(),
    operation,
    name: 'get',
    params: { id: '1' },
    query: {},
    body: undefined,
  }
  const invoke = caching(cache)(() => Promise.reject(new Error('it is in the cache')))
  const answers = await Promise.all([1, 2].map(() => invoke(call, { function: 'things/get' } as Context)))
  answers[0]?.headers && Object.assign(answers[0].headers, { 'content-length': '11' })
  expect(answers[1]).toEqual({
    status: 200,
    headers: { etag: '"v1"', 'cache-status': 'registrar; hit' },
    body: '{"data":{}}',
  })
})
