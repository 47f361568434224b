import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Api, expectProblem } from '../testing/http-conformance/expect.ts'
import { type HostKind, openHosts } from '../testing/http-conformance/hosts.ts'
import { withLookups } from '../testing/http-conformance/lookups.ts'
import { openPlatform, type Platform } from '../testing/http-conformance/platform.ts'
import { otherOf, type Service, services, unique } from '../testing/http-conformance/services.ts'
import type { Target } from '../testing/http-conformance/target.ts'

describe.each(['native', 'framework'] satisfies HostKind[])('%s host', (kind) => {
  const stack = new AsyncDisposableStack()
  let target: Target
  beforeAll(async () => {
    const platform: Platform = stack.use(await openPlatform())
    target = stack.use(await openHosts(kind, await withLookups(platform.variables, stack)))
  })
  afterAll(() => stack.disposeAsync())

  // No worker runs here, so what one side is told of the other stays as it was written.
  describe.each(services)('$name', (service: Service) => {
    const api = () => new Api(target, service)
    const others = () => new Api(target, otherOf(service))

    it('lists those of the other side that name one, as their own service shows them', async () => {
      const { id } = await api().create()
      const path = `/${id}/${service.related}`
      expect((await api().get(path)).many).toEqual([])
      const made = [
        await others().create({ [otherOf(service).linkField]: [id] }),
        await others().create({ [otherOf(service).linkField]: [id] }),
      ]
      const ids = made.map((one) => one.id).toSorted()
      const listed = await api().get(path)
      expect(listed.status).toBe(200)
      expect(listed.many.map((one) => one['id'])).toEqual(ids)
      expect(listed.many).toEqual(expect.arrayContaining(made.map((one) => one.one)))
      expect(listed.headers['cache-status']).toBe('registrar; fwd=miss; stored')
      const patched = await others().patch(String(ids[0]), { name: unique() })
      expect((await api().get(path)).many[0]).toEqual(patched.one)
      await others().delete(String(ids[0]))
      expect((await api().get(path)).many.map((one) => one['id'])).toEqual([ids[1]])
      const head = await api().send('HEAD', path)
      expect([head.status, head.text]).toEqual([200, ''])
    })

    it('tells of every enrolment what became of it', async () => {
      const other = await others().create()
      const { id } = await api().create({ [service.linkField]: [other.id] })
      const key = otherOf(service).name === 'courses' ? 'course_id' : 'student_id'
      const pending = await api().get(`/${id}/enrolments`)
      expect(pending.many).toEqual([{ [key]: other.id, state: 'pending', since: expect.any(String) }])
      const since = String(pending.many[0]?.['since'])
      expect(new Date(since).toISOString()).toBe(since)
      await others().put(other.id, { ...other.one, [otherOf(service).linkField]: [id] })
      expect((await api().get(`/${id}/enrolments`)).many).toEqual([
        { [key]: other.id, state: 'confirmed', since },
      ])
      for (const path of [service.related, 'enrolments']) {
        expectProblem(await api().get(`/${service.absentId()}/${path}`), 'not_found')
      }
    })
  })
})
