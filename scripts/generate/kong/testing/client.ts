import { join } from 'node:path'
import { expect } from 'vitest'
import { readBase } from '../base.ts'
import { scripts } from '../lua.ts'
import { type Exchange, type Exchanged, exchangeAll, phasesOf } from './lua.ts'

const root = join(import.meta.dirname, '../../../..')

/** What the tests of kong/lua have at hand: the configuration, and one client with its key and its trace. */
export const base = await readBase(root)
export const lua = await scripts(root)
export const keyNames = base.keyAuth.config['key_names'] as string[]
export const key = 'a-key-of-the-tests'
export const trace = '0af7651916cd43dd8448eb211c80319c'
export const traceparent = `00-${trace}-b7ad6b7169203331-01`
export const fine = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"data":[]}' }

/** Requests for the students unless they say otherwise, through one LuaJIT. */
export const all = (exchanges: readonly Partial<Exchange>[]): Exchanged[] =>
  exchangeAll(
    phasesOf(lua),
    keyNames,
    exchanges.map((one) => {
      const path = one.path ?? '/api/students'
      const usual = { method: 'GET', rawPath: path, query: '', headers: {}, keys: [key], upstream: fine }
      return { ...usual, ...one, path }
    }),
  )

export function exchange(one: Partial<Exchange>): Exchanged {
  const [exchanged] = all([one])
  if (!exchanged) throw new Error('no answer')
  return exchanged
}

export const authorized = (headers: Record<string, string> = {}) => ({ 'x-api-key': key, ...headers })

export const json = (body: string, headers: Record<string, string> = {}): Partial<Exchange> => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'application/json', 'content-length': String(body.length), ...headers },
})

/** Status and code of an answer that has to be a problem. */
export function problemIn(answer: Exchanged | undefined): [status: number | undefined, code: unknown] {
  const parsed = JSON.parse(answer?.body ?? '{}')
  expect(answer?.headers).toMatchObject({
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'content-length': String(answer?.body.length),
  })
  expect(parsed.status).toBe(answer?.status)
  return [answer?.status, parsed.code]
}
