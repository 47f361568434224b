import { describe, expect, it } from 'vitest'
import { Api, expectProblem } from './expect.ts'
import { courses, otherOf, type Service, services, unique } from './services.ts'
import type { Target } from './target.ts'

/** PATCH is RFC 7396, and what comes out must be as valid as a whole body. */
export function patches(target: () => Target): void {
  describe.each(services)('patches of $name', (service: Service) => {
    const api = () => new Api(target(), service)

    it('changes what it names and nothing else', async () => {
      const created = await api().create()
      const name = unique()
      const patched = await api().patch(created.id, { name })
      const { updated_at: updated, ...same } = created.one
      expect(patched.one).toEqual({ ...same, name, version: 2, updated_at: expect.any(String) })
      expect(String(patched.one['updated_at']) >= String(updated)).toBe(true)
      expect((await api().get(`/${created.id}`)).one).toEqual(patched.one)
    })

    it('moves no version where nothing changes', async () => {
      const created = await api().create()
      const { name } = created.one
      for (const patch of [
        {},
        { name },
        { name: ` ${name}\u00a0` },
        { id: 'x', version: 9, created_at: null },
        created.one,
      ]) {
        const patched = await api().patch(created.id, patch)
        expect([patched.status, patched.one, patched.etag]).toEqual([200, created.one, created.etag])
      }
      expect((await api().get(`/${created.id}`)).etag).toBe(created.etag)
    })

    it('refuses null for what is required, and unknown fields, null ones too, all at once', async () => {
      const { id, etag } = await api().create()
      const nulls = Object.fromEntries(service.texts.map((field) => [field, null]))
      expectProblem(
        await api().patch(id, nulls),
        'invalid',
        service.texts.map((field) => `/${field}`),
      )
      for (const field of ['nonsense', '', 'constructor', '__proto__', 'toString']) {
        const body = `{${JSON.stringify(field)}:null,"name":"x","first_name":{"$gt":""},"${service.linkField}":["x"]}`
        expectProblem(await api().patch(id, body), 'invalid', [
          `/${field}`,
          '/first_name',
          '/name',
          `/${service.linkField}/0`,
        ])
      }
      expect((await api().get(`/${id}`)).etag).toBe(etag)
    })

    it('leaves the ids that it does not name, and empties them by null or an empty list', async () => {
      const others = new Api(target(), otherOf(service))
      const ids = [(await others.create()).id, (await others.create()).id]
      for (const nothing of [null, []]) {
        const created = await api().create({ [service.linkField]: ids })
        expect((await api().patch(created.id, { name: unique() })).one[service.linkField]).toEqual(ids)
        expect(
          (await api().patch(created.id, { [service.linkField]: nothing })).one[service.linkField],
        ).toEqual([])
      }
      const created = await api().create({ [service.linkField]: ids })
      expect((await api().put(created.id, service.make())).one[service.linkField]).toEqual([])
    })
  })

  describe('patches of attributes', () => {
    const api = () => new Api(target(), courses)

    it('merges them at every depth', async () => {
      const { id } = await api().create({
        attributes: { a: { b: 1, c: { d: [1, { e: 1 }], f: null } }, g: 'x' },
      })
      const patch = {
        attributes: { a: { b: null, c: { d: [2], h: { i: null, j: {} } } }, k: [null, { l: null }] },
      }
      const patched = await api().patch(id, patch)
      expect(patched.one['attributes']).toEqual({
        a: { c: { d: [2], f: null, h: { j: {} } } },
        g: 'x',
        k: [null, { l: null }],
      })
      expect((await api().patch(id, { attributes: { a: 'text', g: null } })).one['attributes']).toEqual({
        a: 'text',
        k: [null, { l: null }],
      })
      expect((await api().patch(id, { attributes: null, kind: null })).one).toMatchObject({
        attributes: {},
        kind: 'in_class',
      })
    })

    it('keeps __proto__ and constructor as data', async () => {
      const { id } = await api().create({
        attributes: JSON.parse('{"__proto__":{"a":1},"constructor":{"b":1}}'),
      })
      const patched = await api().patch(id, '{"attributes":{"__proto__":{"c":2},"constructor":{"b":null}}}')
      expect(patched.text).toContain('"attributes":{"__proto__":{"a":1,"c":2},"constructor":{}}')
      expect((await api().get(`/${id}`)).text).toBe(patched.text)
    })

    it('checks the sum of what was and what comes', async () => {
      const { id } = await api().create({ attributes: { a: 'x'.repeat(10_000) } })
      expectProblem(await api().patch(id, { attributes: { b: 'x'.repeat(7000) } }), 'invalid', [
        '/attributes',
      ])
      expect((await api().patch(id, { attributes: { a: null, b: 'x'.repeat(7000) } })).status).toBe(200)
      for (const attributes of [[], 'x', 1, true]) {
        expectProblem(await api().patch(id, { attributes }), 'invalid', ['/attributes'])
      }
      expectProblem(await api().patch(id, '{"attributes":{"a":{"$x":1,"b":1e400}},"name":""}'), 'invalid', [
        '/attributes/a/$x',
        '/attributes/a/b',
        '/name',
      ])
    })

    it('withstands any depth', async () => {
      const { id } = await api().create()
      const deep = (n: number): string => `{"attributes":${'{"a":'.repeat(n)}1${'}'.repeat(n)}}`
      expectProblem(await api().patch(id, deep(10_000)), 'invalid', ['/attributes'])
      expectProblem(
        await api().patch(id, `{"attributes":{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}}`),
        'invalid',
        ['/attributes'],
      )
      expectProblem(
        await api().patch(id, `{"nonsense":${'['.repeat(30_000)}${']'.repeat(30_000)}}`),
        'invalid',
        ['/nonsense'],
      )
    })
  })
}
