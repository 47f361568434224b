import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { Api, expectProblem, json, mergePatch } from './expect.ts'
import type { GatewayTarget } from './gateway-target.ts'
import { otherOf, type Service, services, unique } from './services.ts'
import type { Json } from './target.ts'

/** What only a gateway answers for, with all functions behind it. */
export function gatewayConformance(target: GatewayTarget): void {
  afterAll(() => target[Symbol.asyncDispose]())

  describe.each(services)('the key of $name', (service: Service) => {
    const { path, related } = service

    it('is asked for, before anything else is told of a path', async () => {
      const id = service.absentId()
      for (const [method, at] of [
        ['GET', path],
        ['POST', path],
        ['OPTIONS', path],
        ['DELETE', path],
        ['GET', `${path}/${id}`],
        ['PUT', `${path}/${id}`],
        ['PATCH', `${path}/malformed`],
        ['DELETE', `${path}/${id}`],
        ['GET', `${path}/${id}/${related}`],
        ['GET', `${path}/${id}/enrolments`],
        ['GET', `${path}/health`],
      ] as const) {
        const reply = await target.bare(method, at)
        expectProblem(reply, 'unauthorized')
        expect(reply.headers['www-authenticate'], `${method} ${at}`).toBe('Key realm="registrar"')
      }
    })

    it('must be the right one', async () => {
      for (const wrong of [`${target.key}x`, target.key.slice(1), 'wrong', ' ']) {
        expectProblem(await target.bare('GET', path, { headers: { 'x-api-key': wrong } }), 'unauthorized')
      }
      const body = { ...service.make(), apikey: 'wrong' }
      expectProblem(await target.bare('POST', path, { headers: json, body }), 'unauthorized')
    })

    it('is taken under both of its names, however they are written', async () => {
      for (const name of ['x-api-key', 'apikey', 'X-API-Key', 'ApiKey']) {
        const reply = await target.bare('GET', `${path}?limit=1`, { headers: { [name]: target.key } })
        expect(reply.status, name).toBe(200)
      }
    })

    it('is refused in a query, a right one too', async () => {
      for (const name of ['apikey', 'x-api-key', 'APIKEY', '%61pikey']) {
        expectProblem(await target.bare('GET', `${path}?${name}=${target.key}`), 'unauthorized')
        expectProblem(await target.request('GET', `${path}?${name}=${target.key}`), 'unauthorized')
      }
    })

    it('is taken out of a JSON body, under both of its names', async () => {
      for (const name of ['x-api-key', 'apikey']) {
        const made = await target.bare('POST', path, {
          headers: json,
          body: { [name]: target.key, ...service.make() },
        })
        expect([made.status, made.text.includes(target.key)], made.text).toEqual([201, false])
        const patched = await target.bare('PATCH', `${path}/${made.id}`, {
          headers: mergePatch,
          body: { name: unique(), [name]: target.key },
        })
        expect(patched.status, patched.text).toBe(200)
      }
      const both = await target.request('POST', path, {
        headers: json,
        body: { ...service.make(), apikey: 'x' },
      })
      expect(both.status, both.text).toBe(201)
    })
  })

  it('a key in a body leaves the rest as it was sent', async () => {
    const attributes = '{"z":1,"a":[],"n":9007199254740991,"e":{},"x":1e21,"é":"\\u00e9"}'
    const { attributes: _, ...course } = services[1].make()
    const text = `{"apikey":"${target.key}","attributes":${attributes},${JSON.stringify(course).slice(1)}`
    const made = await target.bare('POST', '/api/courses', { headers: json, body: text })
    expect(made.status, made.text).toBe(201)
    expect(JSON.stringify(made.one['attributes'])).toBe(JSON.stringify(JSON.parse(attributes)))
    const rounded = text.replace('9007199254740991', '9007199254740993')
    expectProblem(await target.bare('POST', '/api/courses', { headers: json, body: rounded }), 'invalid', [
      '/attributes/n',
    ])
  })

  it('what no path has is 404, key or none', async () => {
    for (const path of [
      '/',
      '/api',
      '/api/',
      '/api/nothing',
      '/API/students',
      '/api/studentsx',
      '/students',
    ]) {
      expectProblem(await target.request('GET', path), 'not_found')
      expectProblem(await target.bare('GET', path), 'not_found')
    }
  })

  it('Allow has the methods of all functions of a path', async () => {
    for (const { path, related, absentId } of services) {
      for (const [at, methods] of [
        [path, ['GET', 'HEAD', 'OPTIONS', 'POST']],
        [`${path}/${absentId()}`, ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'PUT']],
        [`${path}/health`, ['GET', 'HEAD', 'OPTIONS']],
        [`${path}/${absentId()}/${related}`, ['GET', 'HEAD', 'OPTIONS']],
      ] as const) {
        const reply = await target.request('OPTIONS', at)
        const allowed = String(reply.headers['allow']).split(', ').sort()
        expect([reply.status, allowed], at).toEqual([204, methods])
      }
    }
  })

  it('the description of the API and its page need no key, and are cached by their tags', async () => {
    for (const [path, type] of [
      ['/api/openapi.json', /^application\/json/],
      ['/api/docs', /^text\/html/],
    ] as const) {
      const got = await target.bare('GET', path)
      expect([got.status, got.headers['content-type']]).toEqual([200, expect.stringMatching(type)])
      const again = await target.bare('GET', path, { headers: { 'if-none-match': got.etag } })
      expect([again.status, again.text]).toEqual([304, ''])
      const wrong = await target.bare('POST', path)
      expectProblem(wrong, 'method_not_allowed')
      expect(String(wrong.headers['allow']).split(', ')).toContain('GET')
    }
    expect((await target.bare('GET', '/api/openapi.json')).json['openapi']).toMatch(/^3\.1\./)
  })

  describe.each(services)('enrolments from $name', (service: Service) => {
    const api = new Api(target, service)
    const others = new Api(target, otherOf(service))
    const otherId = service.name === 'students' ? 'course_id' : 'student_id'

    /** Workers may have to be started for it. */
    async function until(at: string, done: (list: Json[]) => boolean): Promise<Json[]> {
      let list: Json[] = []
      for (const end = Date.now() + 45_000; Date.now() < end; await sleep(250)) {
        const reply = await api.get(at)
        expect(reply.status, reply.text).toBe(200)
        list = reply.many
        if (done(list)) return list
      }
      throw new Error(`it did not come true at ${at}: ${JSON.stringify(list)}`)
    }

    it('become confirmed, and are seen from both sides', async () => {
      const other = await others.create()
      const one = await api.create({ [service.linkField]: [other.id] })
      const [enrolment] = await until(`/${one.id}/enrolments`, ([first]) => first?.['state'] === 'confirmed')
      expect(enrolment).toEqual({ [otherId]: other.id, state: 'confirmed', since: expect.any(String) })
      const [seen] = (await api.get(`/${one.id}/${service.related}`)).many
      expect(seen?.['id']).toBe(other.id)
      expect((await others.get(`/${other.id}`)).one[otherOf(service).linkField]).toEqual([one.id])
    })

    it('are rejected, with the reason, where there is nobody', async () => {
      const absent = otherOf(service).absentId()
      const one = await api.create({ [service.linkField]: [absent] })
      const [enrolment] = await until(`/${one.id}/enrolments`, ([first]) => first?.['state'] === 'rejected')
      const reason = service.name === 'students' ? 'course_not_found' : 'student_not_found'
      expect(enrolment).toMatchObject({ [otherId]: absent, reason })
      expect((await api.get(`/${one.id}`)).one[service.linkField]).toEqual([])
    })

    it('end on both sides', async () => {
      const other = await others.create()
      const one = await api.create({ [service.linkField]: [other.id] })
      await until(`/${one.id}/enrolments`, ([first]) => first?.['state'] === 'confirmed')
      expect((await others.delete(other.id)).status).toBe(204)
      await until(`/${one.id}/enrolments`, (list) => list.every(({ state }) => state !== 'confirmed'))
      expect((await api.get(`/${one.id}/${service.related}`)).many).toEqual([])
    })
  })
}
