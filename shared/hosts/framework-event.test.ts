import { randomUUID } from 'node:crypto'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NatsClient } from '../adapters/nats-client.ts'
import { Config } from '../config.ts'
import type { LinkMessage } from '../enrolment/messages.ts'
import { encodeLink, encodeToModify } from '../messages/link-codec.ts'
import { discoverFunctions } from '../spec/discover.ts'
import { Api, expectProblem } from '../testing/http-conformance/expect.ts'
import { listen, openHosts } from '../testing/http-conformance/hosts.ts'
import { openPlatform, type Platform } from '../testing/http-conformance/platform.ts'
import { students } from '../testing/http-conformance/services.ts'
import { exchange, type Reply, type Sent, type Target } from '../testing/http-conformance/target.ts'
import { Environment } from '../wiring/environment.ts'
import { registerFunction } from './functions-framework.ts'

describe('stream functions driven by CloudEvents', () => {
  const stack = new AsyncDisposableStack()
  const agent = new Agent({ keepAlive: true })
  const ports = new Map<string, number>()
  let platform: Platform
  let target: Target
  let broker: NatsClient
  beforeAll(async () => {
    platform = stack.use(await openPlatform())
    target = stack.use(await openHosts('native', platform.variables))
    broker = stack.use(new NatsClient({ url: platform.variables['EVENTS_URL'] ?? '', name: 'test' }))
    stack.defer(() => agent.destroy())
    for (const found of await discoverFunctions(join(import.meta.dirname, '../..'))) {
      if (found.declaration.trigger.kind !== 'stream') continue
      const made = registerFunction(found, new Environment(found.name.full, new Config(platform.variables)))
      if (made) stack.use(made)
      ports.set(found.name.full, await listen(getTestServer(found.name.slug), stack))
    }
  })
  afterAll(() => stack.disposeAsync())

  const ask = (name: string, method: string, path: string, sent?: Sent): Promise<Reply> =>
    exchange(ports.get(name) ?? 0, agent, method, path, sent)

  const event = () => ({
    'ce-id': randomUUID(),
    'ce-source': '/nats',
    'ce-type': 'student.modified',
    'ce-specversion': '1.0',
  })

  const binary = (name: string, payload: Uint8Array, headers: Sent['headers'] = {}): Promise<Reply> =>
    ask(name, 'POST', '/', {
      body: payload,
      headers: { ...event(), 'content-type': 'application/protobuf', ...headers },
    })

  const structured = (name: string, more: object): Promise<Reply> =>
    ask(name, 'POST', '/', {
      body: { id: randomUUID(), source: '/nats', type: 'x', specversion: '1.0', ...more },
      headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
    })

  const link = (student_id: string, present = true, ts = Date.now() * 1000): LinkMessage => ({
    student_id,
    course_id: randomUUID().replaceAll('-', '').slice(0, 24),
    register: { present, ts, origin: 'C' },
  })

  /** The last message of a subject, or nothing. */
  async function last(stream: string, subject: string) {
    const manager = await (await broker.connection()).jetstreamManager()
    return manager.streams.getMessage(stream, { last_by_subj: subject }).catch(() => undefined)
  }

  it('are registered, all four', () => {
    expect([...ports.keys()]).toEqual([
      'courses/enrol',
      'courses/fan-out',
      'students/enrol',
      'students/fan-out',
    ])
  })

  it('settle with 2xx what took effect, in binary and in structured mode, whatever type the data is said to be', async () => {
    const { id } = await new Api(target, students).create()
    const links = [link(id), link(id), link(id), link(id)]
    const [a, b, c, d] = links.map(encodeLink)
    for (const reply of [
      await binary('students/enrol', a ?? new Uint8Array()),
      await binary('students/enrol', b ?? new Uint8Array(), { 'content-type': 'application/json' }),
      await ask('students/enrol', 'POST', '/any/path?x', { body: c, headers: event() }),
      await structured('students/enrol', { data_base64: Buffer.from(d ?? []).toString('base64') }),
    ]) {
      expect([reply.status, reply.text]).toEqual([204, ''])
    }
    const { one } = await new Api(target, students).get(`/${id}`)
    // In no order: their registers may have been made in one microsecond.
    expect(one['course_ids']).toHaveLength(4)
    expect(one['course_ids']).toEqual(expect.arrayContaining(links.map((each) => each.course_id)))
  })

  it('carry the trace of the event on, from its extension before the header', async () => {
    const { id } = await new Api(target, students).create()
    const trace = randomUUID().replaceAll('-', '')
    const extension = `00-${trace}-1234567890abcdef-01`
    const told = encodeToModify('S', {
      id,
      links: [{ ...link(id), register: { present: true, ts: Date.now() * 1000, origin: 'S' } }],
    })
    expect((await binary('students/fan-out', told, { 'ce-traceparent': extension })).status).toBe(204)
    expect((await last('StudentModified', 'student.modified'))?.header.get('traceparent')).toContain(trace)
    const reply = await binary(
      'students/fan-out',
      encodeToModify('S', {
        id,
        links: [{ ...link(id), register: { present: true, ts: Date.now() * 1000, origin: 'S' } }],
      }),
    )
    expect((await last('StudentModified', 'student.modified'))?.header.get('traceparent')).toContain(
      reply.traceId,
    )
  })

  it('bury what can never succeed, as it was and with the reason, and settle it', async () => {
    const poison = Buffer.from('no protobuf')
    const reply = await binary('courses/enrol', poison)
    expect([reply.status, reply.text]).toEqual([204, ''])
    const buried = await last('DeadLetter', 'dead_letter.courses-enrol')
    expect(Buffer.from(buried?.data ?? [])).toEqual(poison)
    const headers = Object.fromEntries([...(buried?.header ?? [])].map(([key, [value]]) => [key, value]))
    expect(headers).toMatchObject({
      'Registrar-Reason': expect.stringContaining('not a valid LinkChanged'),
      'Registrar-Stream': 'StudentModified',
      'Registrar-Subject': 'student.modified',
      'Registrar-Sequence': '0',
      traceparent: expect.stringContaining(reply.traceId),
    })
  })

  it('bury an event once, and every kind of undecodable one', async () => {
    const count = async (): Promise<number> => {
      const manager = await (await broker.connection()).jetstreamManager()
      return (await manager.streams.info('DeadLetter')).state.messages
    }
    const before = await count()
    const same = { 'ce-id': 'once' }
    for (let i = 0; i < 3; i++)
      expect((await binary('students/enrol', Buffer.from('x'), same)).status).toBe(204)
    expect(await count()).toBe(before + 1)
    const json = { 'content-type': 'application/cloudevents+json' }
    for (const sent of [
      { body: '{"id":', headers: json },
      { body: '[]', headers: json },
      { body: JSON.stringify({ id: 'a', source: 'b', data: { not: 'bytes' } }), headers: json },
      { body: '', headers: event() },
      { body: '{"__proto__":1}', headers: { ...event(), 'content-type': 'application/json' } },
    ]) {
      const reply = await ask('students/fan-out', 'POST', '/', sent)
      expect(reply.status, reply.text).toBe(204)
    }
    expect(await count()).toBe(before + 6)
  })

  it('ask for another delivery with 5xx while the database is away, and bury nothing', async () => {
    const { id } = await new Api(target, students).create()
    const payload = encodeLink(link(id))
    platform.postgres.cut()
    try {
      const reply = await binary('students/enrol', payload)
      expectProblem(reply, 'unavailable')
      expect(reply.headers['retry-after']).toBe('1')
    } finally {
      platform.postgres.release()
    }
    await expect.poll(async () => (await binary('students/enrol', payload)).status).toBe(204)
    expect((await new Api(target, students).get(`/${id}`)).one['course_ids']).toHaveLength(1)
  })

  it('refuse what is no event with 4xx', async () => {
    const name = 'students/enrol'
    expectProblem(await ask(name, 'POST', '/', { body: '{}' }), 'malformed')
    expectProblem(
      await ask(name, 'POST', '/', { body: '{}', headers: { 'content-type': 'application/json' } }),
      'malformed',
    )
    const batch = { 'content-type': 'application/cloudevents-batch+json' }
    expectProblem(await ask(name, 'POST', '/', { body: '[]', headers: batch }), 'unsupported_media_type')
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const reply = await ask(name, method, '/')
      expectProblem(reply, 'method_not_allowed')
      expect(reply.headers['allow']).toBe('POST, OPTIONS')
    }
    expectProblem(await binary(name, Buffer.alloc(70_000)), 'payload_too_large')
  })

  it('serve probes and metrics too', async () => {
    for (const name of ports.keys()) {
      expect((await ask(name, 'GET', '/_/health')).text).toBe('ok\n')
      expect((await ask(name, 'GET', '/_/ready')).status).toBe(200)
      const metrics = await ask(name, 'GET', '/metrics')
      expect(metrics.headers['content-type']).toMatch(/^text\/plain/)
      expect(metrics.text).toContain('registrar_dead_letters_total')
    }
  })
})
