import type { Description, Operation, Schema } from './openapi.ts'
import type { Pool } from './pool.ts'
import type { Drawn } from './requests/drawn.ts'
import { type Ask, bytesOf, type Shot } from './shot.ts'

/** Whom requests go to. */
export interface Origin {
  readonly hostname: string
  readonly port: number
  /** Without one there is no gateway: a function is asked directly. */
  readonly key?: string | undefined
}

/** A request ready to be sent: lines without their ends, a body as bytes. */
export interface Message {
  readonly method: string
  readonly target: string
  readonly headers: readonly string[]
  readonly body: string | undefined
  readonly chunked: boolean
  readonly ask: Ask
}

/** Makes of what was drawn a request about what there is now. */
export function messageOf(drawn: Drawn, origin: Origin, pool: Pool, description: Description): Message {
  const { operation, method, which, headers, chunked, key } = drawn
  const content = contentOf(drawn, origin, pool, description)
  const target = targetOf(drawn, origin, pool)
  const lines = [`Host: ${origin.hostname}:${origin.port}`]
  if (content?.type) lines.push(`Content-Type: ${content.type}`)
  if (origin.key !== undefined && (key === 'right' || key === 'wrong')) {
    // Public paths take no key.
    if (!operation.isPublic || (which ?? 0) % 2 === 1)
      lines.push(`x-api-key: ${key === 'right' ? origin.key : 'wrong'}`)
  }
  // Half of the conditions are about what there is now.
  const current = (which ?? 1) % 2 === 0 ? pool.etag(target) : undefined
  const shown = (name: string): string | undefined => (/^if-/i.test(name) ? current : undefined)
  lines.push(...headers.map(([name, value]) => `${name}: ${shown(name) ?? value}`))
  const found = pathOf(description.operations, target)
  const worth = drawn.family === 'valid' ? 'valid' : worthOf(drawn, found, description)
  return {
    method,
    target,
    headers: lines,
    body: content?.bytes,
    chunked,
    ask: { method, path: found, worth },
  }
}

/** The bytes of a well-framed request. */
export function shotOf(message: Message, family: Shot['family']): Shot {
  const { method, target, headers, body, chunked, ask } = message
  const framing =
    body === undefined ? [] : chunked ? ['Transfer-Encoding: chunked'] : [`Content-Length: ${body.length}`]
  const head = [`${method} ${target} HTTP/1.1`, ...headers, ...framing, '', ''].join('\r\n')
  const sent = body !== undefined && chunked ? chunksOf(body) : (body ?? '')
  return { family, pieces: [head + sent], pause: 0, ends: false, asks: [ask] }
}

/** In two chunks and the last. */
export function chunksOf(body: string): string {
  const half = body.length >> 1
  return [body.slice(0, half), body.slice(half), '']
    .filter((part, index) => part !== '' || index === 2)
    .map((part) => `${part.length.toString(16)}\r\n${part}\r\n`)
    .join('')
}

/** The declared path that a target is for, a literal one before one with parameters. */
export function pathOf(operations: readonly Operation[], target: string): string | undefined {
  const [path = ''] = target.split('?')
  const paths = [...new Set(operations.map((one) => one.path))]
  const literal = paths.find((one) => one === path)
  return literal ?? paths.find((one) => new RegExp(`^${one.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path))
}

function targetOf(drawn: Drawn, { key }: Origin, pool: Pool): string {
  const { operation, params, which, query } = drawn
  if (drawn.target === 'next') return pool.page(which ?? 0) ?? operation.path.replaceAll(/\{\w+\}/g, 'none')
  if (drawn.target !== undefined) return drawn.target
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const form = operation.parameters.find((one) => one.in === 'path' && one.name === name)?.schema.pattern
    const known = which === undefined ? undefined : pool.id(form, which)
    return known ?? encoded(params[name] ?? '-')
  })
  const pairs = query.map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
  if (drawn.key === 'in the query' && key !== undefined) pairs.push('apikey=sesame')
  return pairs.length > 0 ? `${path}?${pairs.join('&')}` : path
}

/** Percent-encoded; of halves of surrogate pairs, what stands for them. */
const encoded = (text: string): string => encodeURIComponent(text.toWellFormed()) || '-'

function contentOf(drawn: Drawn, { key }: Origin, pool: Pool, description: Description) {
  const { body, operation, which } = drawn
  if (body === undefined) return undefined
  if ('bytes' in body) return body
  const schema = description.resolve(Object.values(operation.bodies)[0] ?? {})
  const known =
    which === undefined ? body.value : withKnown(body.value, schema, which, pool, drawn.family !== 'nearly')
  const whole =
    drawn.key === 'in the body' && key !== undefined && isObject(known) ? { ...known, apikey: key } : known
  // What JSON.stringify escapes by itself, halves of surrogate pairs, stays escaped.
  return { type: body.type, bytes: bytesOf(JSON.stringify(whole)) }
}

/** Ids in lists give way to those of things that there are, and texts, now and then, to those that others have. */
function withKnown(value: unknown, schema: Schema, which: number, pool: Pool, often: boolean): unknown {
  if (!isObject(value) || which % 3 === 0) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      const property = schema.properties?.[name]
      const form = property?.items?.pattern
      // Never of a body with something wrong in it, which this could mend.
      if (often && which % 5 === 1 && typeof one === 'string' && property?.pattern) return [name, 'same']
      if (!Array.isArray(one) || form === undefined) return [name, one]
      if (!one.every((id) => typeof id === 'string' && new RegExp(form).test(id))) return [name, one]
      const ids = one.map((id: string, index) => pool.id(form, which + index) ?? id)
      return [name, new Set(one).size === one.length ? [...new Set(ids)] : one]
    }),
  )
}

/** Whether the description says of a request, by its body or query, that it is not to be taken. */
function worthOf(drawn: Drawn, found: string | undefined, description: Description): Ask['worth'] {
  const { operation, method, body, query } = drawn
  if (drawn.target !== undefined || found !== operation.path || method !== operation.method) return 'unknown'
  const names = operation.parameters.filter((one) => one.in === 'query').map((one) => one.name)
  if (query.some(([name]) => !names.includes(name))) return 'invalid'
  if (body === undefined || !('value' in body)) return 'unknown'
  const schema = operation.bodies[body.type]
  if (!schema) return 'unknown'
  // Patterns of texts are exact in this form alone.
  const value: unknown = JSON.parse(JSON.stringify(body.value).normalize('NFC'))
  return description.violations(schema, value).length > 0 ? 'invalid' : 'unknown'
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
