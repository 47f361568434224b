import { describe, expect, it } from 'vitest'
import { Api, expectProblem, json } from './expect.ts'
import { otherOf, type Service, services, unique } from './services.ts'
import type { Target } from './target.ts'

/** What a body may have, and what is wrong in one: by POST and by PUT alike. */
export function fields(target: () => Target): void {
  describe.each(services)('bodies of $name', (service: Service) => {
    const api = () => new Api(target(), service)

    /** Both ways of sending a whole body, which must be refused for just these pointers. */
    async function refused(body: string | object, pointers: readonly string[]): Promise<void> {
      const { id, etag } = await api().create()
      expectProblem(await api().post(body), 'invalid', pointers)
      expectProblem(await api().put(id, body), 'invalid', pointers)
      expect((await api().get(`/${id}`)).etag).toBe(etag)
    }

    it('names everything that is missing', async () => {
      await refused(
        {},
        service.texts.map((field) => `/${field}`),
      )
    })

    it('names everything that is wrong at once', async () => {
      const [first = '', ...rest] = service.texts
      const wrong = Object.fromEntries(rest.map((field) => [field, 7]))
      await refused({ ...wrong, nonsense: 1, 'a/b~c': null, [service.linkField]: ['x'] }, [
        `/${first}`,
        ...rest.map((field) => `/${field}`),
        '/nonsense',
        '/a~1b~0c',
        `/${service.linkField}/0`,
      ])
    })

    it('takes only strings for text', async () => {
      for (const value of [null, 1, true, [], ['abc'], {}, { $gt: '' }, { $ne: null }]) {
        await refused(service.make({ name: value }), ['/name'])
      }
    })

    it('counts code points, after trimming and NFC', async () => {
      const salt = unique().slice(0, 15)
      for (const [value, kept] of [
        ['👩‍👩‍👧', '👩‍👩‍👧'],
        [`${salt}👍👍👍👍👍`, `${salt}👍👍👍👍👍`],
        [`\u3000 ${salt}12345 \u00a0`, `${salt}12345`],
        [`${salt}${'e\u0301'.repeat(5)}`, `${salt}${'é'.repeat(5)}`],
        [`${salt}\u212b`, `${salt}Å`],
        [`${salt} 'x"\\`, `${salt} 'x"\\`],
      ]) {
        const reply = await api().post(service.make({ name: value }))
        expect([reply.status, reply.text.length > 0 && reply.json['data']], value).toEqual([
          201,
          expect.objectContaining({ name: kept }),
        ])
        expect((await api().get(`/${reply.id}`)).one['name']).toBe(kept)
      }
      for (const value of ['', 'ab', '👍👍', '  ab  ', 'e\u0301e\u0301', 'x'.repeat(21), '👍'.repeat(21)]) {
        await refused(service.make({ name: value }), ['/name'])
      }
    })

    it('refuses control characters, at its ends too, and halves of surrogate pairs', async () => {
      for (const inside of [
        '\\u0000',
        '\\u0007',
        '\\t',
        '\\n',
        '\\u007f',
        '\\u0085',
        '\\ud800',
        '\\udc00',
        '\\udc00\\ud800',
      ]) {
        for (const name of [`ab${inside}cd`, `abcd${inside}`, `${inside}abcd`]) {
          await refused(
            JSON.stringify(service.make({ name: 'X' })).replace('"X"', () => `"${name}"`),
            ['/name'],
          )
        }
      }
    })

    it('refuses unknown fields, however they are called', async () => {
      const body = JSON.stringify(service.make())
      for (const field of [
        'nonsense',
        '',
        '__proto__',
        'constructor',
        'prototype',
        'toString',
        'hasOwnProperty',
        '$set',
        'name.x',
        '_id',
      ]) {
        for (const value of ['1', 'null', '{"name":"polluted"}']) {
          await refused(`{${JSON.stringify(field)}:${value},${body.slice(1)}`, [`/${field}`])
        }
      }
      expect('polluted' in {}).toBe(false)
    })

    it('ignores what is read only, whatever it is', async () => {
      const readOnly = { id: 1, version: 'x', created_at: null, updated_at: {} }
      const created = await api().create(readOnly)
      expect(created.id).toMatch(/^[\da-f-]{24,36}$/)
      expect(created.one['version']).toBe(1)
      const body = { ...service.make(), ...readOnly }
      const put = await api().put(created.id, body)
      expect([put.status, put.id, put.one['version'], put.one['created_at']]).toEqual([
        200,
        created.id,
        2,
        created.one['created_at'],
      ])
    })

    it('takes back what it gave', async () => {
      const created = await api().create()
      const put = await api().put(created.id, created.one)
      expect([put.status, put.one]).toEqual([200, created.one])
    })

    it('lets the last of two equal keys win', async () => {
      const name = unique()
      const body = JSON.stringify(service.make({ name })).replace('{', '{"name":"first",')
      expect((await api().send('POST', '', { body, headers: json })).one['name']).toBe(name)
    })

    it('takes ids of the other side, in either case, each once', async () => {
      const others = new Api(target(), otherOf(service))
      const ids = [(await others.create()).id, (await others.create()).id]
      const created = await api().create({ [service.linkField]: ids.map((id) => id.toUpperCase()) })
      expect(created.one[service.linkField]).toEqual(ids)
      const again = [ids[0], ids[1]?.toUpperCase(), ids[0]?.toUpperCase()]
      await refused(service.make({ [service.linkField]: again }), [`/${service.linkField}/2`])
    })

    it('refuses a list of ids that is none, or too long, or has anything else in it', async () => {
      const { absentId } = otherOf(service)
      const field = service.linkField
      for (const value of [null, 'x', {}, { $in: [] }])
        await refused(service.make({ [field]: value }), [`/${field}`])
      const many = Array.from({ length: service.mostLinks + 1 }, absentId)
      await refused(service.make({ [field]: many }), [`/${field}`])
      const twice = absentId()
      await refused(service.make({ [field]: [1, '', twice, null, { $gt: '' }, twice, service.absentId()] }), [
        `/${field}/0`,
        `/${field}/1`,
        `/${field}/3`,
        `/${field}/4`,
        `/${field}/5`,
        `/${field}/6`,
      ])
      await refused(service.make({ [field]: [...many, 7] }), [`/${field}`, `/${field}/${many.length}`])
    })

    it('answers a creation with everything, where it is, and the ETag that GET gives', async () => {
      const created = await api().create()
      const { location, etag } = created.headers
      expect(created.status).toBe(201)
      expect(location).toBe(`${service.path}/${created.id}`)
      const got = await target().request('GET', location ?? '')
      expect([got.status, got.one, got.headers.etag]).toEqual([200, created.one, etag])
      expect(got.headers['content-type']).toBe('application/json')
      const { created_at: at } = created.one
      expect(at).toBe(created.one['updated_at'])
      expect(new Date(String(at)).toISOString()).toBe(at)
    })
  })

  it('takes a course without its optional fields, and refuses a kind that there is not', async () => {
    const api = new Api(target(), services[1])
    expect((await api.create()).one).toMatchObject({ kind: 'in_class', attributes: {}, student_ids: [] })
    expect((await api.create({ kind: 'externship' })).one).toMatchObject({ kind: 'externship' })
    for (const kind of ['In_Class', '', null, 1, { $ne: '' }]) {
      expectProblem(await api.post(services[1].make({ kind })), 'invalid', ['/kind'])
    }
    expectProblem(await api.post(services[1].make({ description: 'x'.repeat(201) })), 'invalid', [
      '/description',
    ])
    expect((await api.create({ description: '👍'.repeat(200) })).status).toBe(201)
  })
}
