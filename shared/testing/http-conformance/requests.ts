import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Api, expectProblem, json, mergePatch } from './expect.ts'
import { type Service, services } from './services.ts'
import type { Target } from './target.ts'

/** What is wrong with a request before its content counts. */
export function requests(target: () => Target): void {
  describe.each(services)('requests to $name', (service: Service) => {
    const api = () => new Api(target(), service)
    const body = () => JSON.stringify(service.make())

    it('takes a JSON body whatever its type is spelled like', async () => {
      for (const type of [
        'application/json',
        'Application/JSON; Charset=UTF-8',
        'application/json;charset="utf-8"',
      ]) {
        expect((await api().post(body(), { 'content-type': type })).status, type).toBe(201)
      }
    })

    it('refuses any other media type with 415, before it reads the body', async () => {
      const { id } = await api().create()
      for (const type of [
        undefined,
        '',
        'text/plain',
        'text/json',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'application/merge-patch+json',
        'application/cloudevents+json',
        'application/json; charset=latin1',
        'application/json; charset=utf-16',
      ]) {
        const headers = type === undefined ? {} : { 'content-type': type }
        expectProblem(await api().send('POST', '', { body: body(), headers }), 'unsupported_media_type')
        expectProblem(
          await api().send('PUT', `/${id}`, { body: 'no JSON', headers }),
          'unsupported_media_type',
        )
      }
      expectProblem(
        await api().patch(id, '{}', { 'content-type': 'application/json-patch+json' }),
        'unsupported_media_type',
      )
      expect((await api().patch(id, '{}', json)).status).toBe(200)
      expect(
        (await api().patch(id, '{}', { 'content-type': 'application/merge-patch+json; charset=utf-8' }))
          .status,
      ).toBe(200)
    })

    it('refuses a compressed body with 415', async () => {
      for (const encoding of ['gzip', 'deflate', 'br', 'zstd', 'nonsense']) {
        const sent = { 'content-encoding': encoding }
        expectProblem(await api().post(gzipSync(body()), sent), 'unsupported_media_type')
      }
      expect((await api().post(body(), { 'content-encoding': 'identity' })).status).toBe(201)
    })

    it('refuses broken JSON and invalid UTF-8 with 400', async () => {
      const { id } = await api().create()
      const broken = [
        '',
        ' ',
        '{',
        '{"name":',
        "{'name':'x'}",
        '{"name":"a" "b"}',
        '[1,]',
        'undefined',
        'NaN',
        '{"a":01}',
        '{"a":"\n"}',
        '{} {}',
      ]
      const invalid = [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]]
      for (const one of [...broken, ...invalid.map((bytes) => Buffer.from([0x22, ...bytes, 0x22]))]) {
        expectProblem(await api().post(one), 'malformed')
        expectProblem(await api().put(id, one), 'malformed')
        expectProblem(await api().patch(id, one), 'malformed')
      }
    })

    it('refuses JSON that is no object with 422', async () => {
      const { id } = await api().create()
      for (const one of ['null', '[]', '"text"', '1', 'true', '1e999']) {
        expectProblem(await api().post(one), 'invalid', [''])
        expectProblem(await api().put(id, one), 'invalid', [''])
        expectProblem(await api().patch(id, one), 'invalid', [''])
      }
    })

    it('skips a byte order mark', async () => {
      expect((await api().post(`\uFEFF${body()}`)).status).toBe(201)
    })

    it('takes 64 KB and no byte more', async () => {
      const whole = body().padEnd(64 * 1024, ' ')
      expect((await api().post(whole)).status).toBe(201)
      expectProblem(await api().post(`${body().padEnd(64 * 1024, ' ')} `), 'payload_too_large')
      expectProblem(await api().post('x'.repeat(8 * 1024 * 1024)), 'payload_too_large')
    })

    it('answers 413 while a body is still coming, whatever its length is said to be', async () => {
      const { id } = await api().create()
      for (const [method, path] of [
        ['POST', ''],
        ['PUT', `/${id}`],
        ['PATCH', `/${id}`],
      ] as const) {
        const headers = method === 'PATCH' ? mergePatch : json
        expectProblem(await api().send(method, path, { body: endless(), headers }), 'payload_too_large')
        const lying = { ...headers, 'content-length': 10_000_000 }
        expectProblem(await api().send(method, path, { body: slow(), headers: lying }), 'payload_too_large')
      }
    })

    it('asks for a body that waits for it only when nothing in the head stands against it', async () => {
      const { id } = await api().create()
      const waiting = { ...json, expect: '100-continue' }
      for (const [method, path] of [
        ['POST', ''],
        ['PUT', `/${id}`],
      ] as const) {
        const reply = await api().send(method, path, { body: body(), headers: waiting })
        expect([reply.status < 300, reply.continued], reply.text).toEqual([true, true])
      }
      for (const [code, method, path, more] of [
        ['unsupported_media_type', 'POST', '', { 'content-type': 'text/plain' }],
        ['unsupported_media_type', 'PATCH', `/${id}`, { 'content-encoding': 'gzip' }],
        ['payload_too_large', 'POST', '', { 'content-length': 64 * 1024 + 1 }],
        ['not_found', 'PUT', '/malformed', {}],
        ['not_found', 'POST', `/${id}/nothing`, {}],
        ['method_not_allowed', 'POST', `/${id}`, {}],
        ['malformed', 'POST', '?nonsense=1', {}],
      ] as const) {
        const reply = await api().send(method, path, { body: body(), headers: { ...waiting, ...more } })
        expectProblem(reply, code)
        expect(reply.continued, `${method} ${path}`).toBe(false)
      }
      expect((await api().post(body(), { expect: 'rain' })).status).toBe(201)
    })

    it('answers a malformed or unknown id with 404, for every method', async () => {
      for (const id of [...service.malformedIds, service.absentId(), '..%2f', '%24gt']) await nowhere(id)
    })

    it('answers an id that is no text with 404, for every method', async () => {
      for (const id of ['%00', '%E0%A4%A']) await nowhere(id)
    })

    async function nowhere(id: string): Promise<void> {
      for (const reply of [
        await api().get(`/${id}`),
        await api().put(id, service.make()),
        await api().patch(id, {}),
        await api().delete(id),
        await api().get(`/${id}/${service.related}`),
        await api().get(`/${id}/enrolments`),
      ]) {
        expectProblem(reply, 'not_found')
      }
    }

    it('takes an id in upper case for the same', async () => {
      const created = await api().create()
      const reply = await api().get(`/${created.id.toUpperCase()}`)
      expect([reply.status, reply.one]).toEqual([200, created.one])
      expect((await api().delete(created.id.toUpperCase())).status).toBe(204)
      expectProblem(await api().get(`/${created.id}`), 'not_found')
    })
  })
}

async function* endless(): AsyncIterable<Uint8Array> {
  for (;;) {
    yield Buffer.alloc(4096, ' ')
    await sleep(1)
  }
}

async function* slow(): AsyncIterable<Uint8Array> {
  yield Buffer.from('{"name":')
  await sleep(30_000, undefined, { ref: false })
}
