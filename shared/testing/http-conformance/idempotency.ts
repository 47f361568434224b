import { describe, expect, it } from 'vitest'
import { Api, expectProblem } from './expect.ts'
import { otherOf, type Service, services, unique } from './services.ts'
import type { Target } from './target.ts'

/** POST under an Idempotency-Key (IETF draft 07). */
export function idempotency(target: () => Target): void {
  describe.each(services)('Idempotency-Key of $name', (service: Service) => {
    const api = () => new Api(target(), service)
    const under = (key: string) => ({ 'idempotency-key': key })

    it('gives the first answer again, for a quoted key as for a bare one', async () => {
      const [key, body] = [unique(), service.make()]
      const first = await api().post(body, under(key))
      expect(first.status).toBe(201)
      for (const again of [
        await api().post(body, under(key)),
        await api().post(body, under(`"${key}"`)),
        await api().post(`  ${JSON.stringify(body)}\n`, under(` ${key} `)),
        await api().post({ ...body, id: 'read only' }, under(key)),
      ]) {
        expect([again.status, again.text, again.headers.location, again.etag]).toEqual([
          201,
          first.text,
          first.headers.location,
          first.etag,
        ])
        expect(again.headers['content-type']).toBe(first.headers['content-type'])
      }
      expect((await api().get(`?name=${body['name']}`)).many.length).toBe(1)
      await api().delete(first.id)
      expect((await api().post(body, under(key))).text).toBe(first.text)
      expectProblem(await api().get(`/${first.id}`), 'not_found')
    })

    it('makes one of concurrent ones', async () => {
      for (let round = 0; round < 3; round++) {
        const [key, body] = [unique(), service.make()]
        const replies = await Promise.all(Array.from({ length: 8 }, () => api().post(body, under(key))))
        const made = replies.filter(({ status }) => status === 201)
        expect(made.length).toBeGreaterThan(0)
        expect(new Set(made.map((one) => one.text)).size).toBe(1)
        for (const other of replies.filter(({ status }) => status !== 201)) expectProblem(other, 'conflict')
        expect((await api().get(`?name=${body['name']}`)).many.length).toBe(1)
      }
    })

    it('gives an answer that is kept to all that ask for it at once', async () => {
      const [key, body] = [unique(), service.make()]
      const first = await api().post(body, under(key))
      const replies = await Promise.all(Array.from({ length: 20 }, () => api().post(body, under(key))))
      expect(new Set(replies.map(({ status, text }) => `${status} ${text}`))).toEqual(
        new Set([`201 ${first.text}`]),
      )
    })

    it('refuses another payload with 422', async () => {
      const [key, body] = [unique(), service.make()]
      const first = await api().post(body, under(key))
      expectProblem(await api().post(service.make(), under(key)), 'invalid')
      expect((await api().post(body, under(key))).text).toBe(first.text)
    })

    it('counts for its own route and key alone', async () => {
      const key = unique()
      const other = new Api(target(), otherOf(service))
      expect((await api().post(service.make(), under(key))).status).toBe(201)
      expect((await other.post(other.service.make(), under(key))).status).toBe(201)
      expect((await api().post(service.make(), under(key.toUpperCase()))).status).toBe(201)
    })

    it('keeps nothing of what failed', async () => {
      const [key, body] = [unique(), service.make()]
      expectProblem(await api().post({ ...body, name: 'x' }, under(key)), 'invalid')
      expect((await api().post(body, under(key))).status).toBe(201)
      if (service.name !== 'students') return
      const taken = unique()
      expectProblem(await api().post(body, under(taken)), 'conflict')
      expect((await api().post(service.make(), under(taken))).status).toBe(201)
    })

    it('refuses two keys with 400, be they equal', async () => {
      const [key, body] = [unique(), service.make()]
      for (const keys of [
        [key, unique()],
        [key, key],
        [`"${key}"`, ''],
      ]) {
        expectProblem(await api().post(body, { 'idempotency-key': keys }), 'malformed')
        // What is wrong with a request comes before what is wrong in its body.
        expectProblem(await api().post({}, { 'idempotency-key': keys }), 'malformed')
      }
      expect((await api().get(`?name=${body['name']}`)).many).toEqual([])
      // A comma alone makes no two of one.
      expect((await api().post(body, under(`${key}, ${key}`))).status).toBe(201)
    })

    it('refuses a malformed key with 400', async () => {
      for (const key of ['', '""', ' ', '"', 'x'.repeat(256), 'ké', 'a\tb', `"${'x'.repeat(256)}"`]) {
        expectProblem(await api().post(service.make(), under(key)), 'malformed')
      }
      for (const key of [
        'x',
        '!',
        `"${'y'.repeat(255 - 16)}${unique().slice(1)}"`,
        `${unique()} with spaces, and "quotes"`,
      ]) {
        expect(
          (await api().post(service.make(), under(`${unique().slice(0, 4)}${key}`.slice(0, 255)))).status,
        ).toBe(201)
      }
    })
  })
}
