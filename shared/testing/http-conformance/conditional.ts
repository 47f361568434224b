import { describe, expect, it } from 'vitest'
import { Api, expectProblem } from './expect.ts'
import { type Service, services, unique } from './services.ts'
import type { Target } from './target.ts'

/** Entity tags, and the requests that depend on them. */
export function conditional(target: () => Target): void {
  describe.each(services)('entity tags of $name', (service: Service) => {
    const api = () => new Api(target(), service)

    it('are strong, and change exactly when the representation does', async () => {
      const { id, etag: first } = await api().create()
      const seen = new Map<string, string>()
      const note = async (): Promise<string> => {
        const got = await api().get(`/${id}`)
        expect(got.etag).toMatch(/^"[^"]+"$/)
        const known = seen.get(got.etag)
        expect(known ?? got.text).toBe(got.text)
        seen.set(got.etag, got.text)
        return got.etag
      }
      expect(await note()).toBe(first)
      for (const [change, moves] of [
        [() => api().patch(id, {}), false],
        [() => api().patch(id, { name: unique() }), true],
        [async () => api().put(id, (await api().get(`/${id}`)).one), false],
        [() => api().put(id, service.make()), true],
        [() => api().put(id, { ...service.make(), name: 'x' }), false],
      ] as const) {
        const before = await note()
        const changed = await change()
        const after = await note()
        expect(after !== before).toBe(moves)
        if (changed.status === 200)
          expect([changed.etag, changed.one]).toEqual([after, (await api().get(`/${id}`)).one])
      }
      expect(new Set(seen.values()).size).toBe(seen.size)
    })

    it('answer If-None-Match with 304 where the tag is there, weakly too', async () => {
      const { id, etag } = await api().create()
      for (const value of [etag, `W/${etag}`, '*', `"a", ${etag}`, `W/"b",W/${etag} , "c"`]) {
        for (const method of ['GET', 'HEAD']) {
          const reply = await api().send(method, `/${id}`, { headers: { 'if-none-match': value } })
          expect([reply.status, reply.text, reply.etag], value).toEqual([304, '', etag])
          expect(reply.headers['content-type']).toBeUndefined()
          expect(reply.headers['cache-status']).toMatch(/^registrar; /)
        }
      }
      for (const value of ['"a"', 'W/"a"', etag.slice(1, -1), '']) {
        expect((await api().get(`/${id}`, { 'if-none-match': value })).status, value).toBe(200)
      }
      await api().patch(id, { name: unique() })
      expect((await api().get(`/${id}`, { 'if-none-match': etag })).status).toBe(200)
      expectProblem(await api().get(`/${service.absentId()}`, { 'if-none-match': '*' }), 'not_found')
    })

    it('guard PUT, PATCH and DELETE by If-Match', async () => {
      const { id, etag, one } = await api().create()
      const old = etag
      for (const value of ['"other"', `W/${etag}`, etag.slice(1, -1), '"a", "b"', '']) {
        const headers = { 'if-match': value }
        expectProblem(await api().put(id, service.make(), headers), 'precondition_failed')
        expectProblem(await api().patch(id, { name: unique() }, headers), 'precondition_failed')
        expectProblem(await api().delete(id, headers), 'precondition_failed')
      }
      expect((await api().get(`/${id}`)).one).toEqual(one)
      let tag = etag
      for (const make of [() => '*', () => tag, () => `"a", ${tag} ,"b"`]) {
        const put = await api().put(id, service.make(), { 'if-match': make() })
        expect(put.status).toBe(200)
        tag = put.etag
        const patched = await api().patch(id, { name: unique() }, { 'if-match': make() })
        expect(patched.status).toBe(200)
        tag = patched.etag
      }
      expectProblem(await api().put(id, service.make(), { 'if-match': old }), 'precondition_failed')
      expectProblem(await api().delete(id, { 'if-match': old }), 'precondition_failed')
      const gone = await api().delete(id, { 'if-match': tag })
      expect([gone.status, gone.text, gone.headers['content-type']]).toEqual([204, '', undefined])
      for (const value of ['*', tag])
        expectProblem(await api().delete(id, { 'if-match': value }), 'not_found')
    })

    it('let exactly one of ten writers win', async () => {
      for (const method of ['put', 'patch', 'delete'] as const) {
        const { id, etag } = await api().create()
        const headers = { 'if-match': etag }
        const replies = await Promise.all(
          Array.from({ length: 10 }, () => {
            if (method === 'delete') return api().delete(id, headers)
            return method === 'put'
              ? api().put(id, service.make(), headers)
              : api().patch(id, { name: unique() }, headers)
          }),
        )
        const won = replies.filter(({ status }) => status < 300)
        expect(won.length, replies.map((one) => one.status).join()).toBe(1)
        for (const lost of replies.filter((one) => !won.includes(one))) {
          expectProblem(lost, method === 'delete' ? 'not_found' : 'precondition_failed')
        }
        if (method !== 'delete') expect((await api().get(`/${id}`)).one).toEqual(won[0]?.one)
      }
    })
  })
}
