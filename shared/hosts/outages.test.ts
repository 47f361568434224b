import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bypass, expectFresh, hit } from '../testing/http-conformance/caching.ts'
import { Api, expectProblem } from '../testing/http-conformance/expect.ts'
import { type HostKind, openHosts } from '../testing/http-conformance/hosts.ts'
import { openPlatform, type Platform } from '../testing/http-conformance/platform.ts'
import { type Service, services, unique } from '../testing/http-conformance/services.ts'
import type { Reply, Target } from '../testing/http-conformance/target.ts'
import { pause, resume } from '../testing/pausing.ts'

/** Two seconds are the contract's; the rest is for a busy machine. */
const bound = 4000

describe.each(['native', 'framework'] satisfies HostKind[])('%s host', (kind) => {
  const stack = new AsyncDisposableStack()
  let platform: Platform
  let target: Target
  beforeAll(async () => {
    platform = stack.use(await openPlatform())
    target = stack.use(await openHosts(kind, platform.variables))
  })
  afterAll(() => stack.disposeAsync())

  async function inTime(asked: Promise<Reply>, most = bound): Promise<Reply> {
    const start = performance.now()
    const reply = await asked
    expect(performance.now() - start).toBeLessThan(most)
    return reply
  }

  describe.each(services)('$name', (service: Service) => {
    const api = () => new Api(target, service)

    /** One request of each kind, none of which a cache could answer. */
    function every(id: string): (() => Promise<Reply>)[] {
      return [
        () => api().get(`/${service.absentId()}`),
        () => api().get(`?name=${unique()}`),
        () => api().post(service.make()),
        () => api().post(service.make(), { 'idempotency-key': unique() }),
        () => api().put(id, service.make()),
        () => api().patch(id, { name: unique() }),
        () => api().delete(service.absentId()),
        () => api().get('/health'),
      ]
    }

    async function untilServed(): Promise<void> {
      for (let i = 0; i < 100; i++) {
        const replies = await Promise.all([
          api().get('/health'),
          api().get(`?name=${unique()}`),
          api().post(service.make()),
          api().delete(service.absentId()),
          api().put(service.absentId(), service.make()),
        ])
        if (replies.every(({ status }) => status < 500)) return
      }
      throw new Error('it does not serve again')
    }

    it.each(['hold', 'cut'] as const)(
      'answers 503 in time while Postgres is away (%s), and serves again',
      async (how) => {
        const { id, one } = await api().create()
        await untilServed()
        await api().get(`/${id}`)
        platform.postgres[how]()
        try {
          await using started = await openHosts(kind, platform.variables)
          const asked = [...every(id), () => new Api(started, service).get(`/${service.absentId()}`)]
          for (const reply of await Promise.all(asked.map((ask) => inTime(ask())))) {
            expectProblem(reply, 'unavailable')
            expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0)
          }
          const cached = await inTime(api().get(`/${id}`))
          expect([cached.status, cached.headers['cache-status']]).toEqual([200, hit])
          const many = await Promise.all(
            Array.from({ length: 30 }, () => inTime(api().get(`?name=${unique()}`), 2 * bound)),
          )
          for (const reply of many) expectProblem(reply, 'unavailable')
        } finally {
          platform.postgres.release()
        }
        await untilServed()
        // A held write may have been done after its 503, as any answer that was lost.
        if (how === 'cut') expect((await api().get(`/${id}`)).one).toEqual(one)
      },
    )

    it('serves in time without the cache while Redis hangs, and through it again', async () => {
      const { id } = await api().create()
      await api().get(`/${id}`)
      pause(platform.redis.pid)
      let last: Reply
      try {
        const got = await inTime(api().get(`/${id}`))
        expect([got.status, got.headers['cache-status']]).toEqual([200, bypass])
        last = await inTime(api().patch(id, { name: unique() }))
        expect(last.status, last.text).toBe(200)
        expect((await inTime(api().get(`/${id}`))).one).toEqual(last.one)
        expect((await inTime(api().get(`?name=${last.one['name']}`))).many).toEqual([last.one])
        expect((await inTime(api().post(service.make()))).status).toBe(201)
        expectProblem(await inTime(api().get(`/${service.absentId()}`)), 'not_found')
      } finally {
        resume(platform.redis.pid)
      }
      await expect.poll(async () => (await api().get(`/${id}`)).headers['cache-status']).toBe(hit)
      await expect.poll(async () => (await api().get(`/${id}`)).one).toEqual(last.one)
    })

    it('answers 504 where the other service does not, but 404 for what is not there', async () => {
      const { id } = await api().create()
      await using mute = new AsyncDisposableStack()
      const silent = createServer(() => {})
      const port = await new Promise<number>((resolve) => {
        silent.listen(0, '127.0.0.1', () => {
          const address = silent.address()
          resolve(typeof address === 'object' && address ? address.port : 0)
        })
      })
      mute.defer(() => void silent.close())
      const nowhere = {
        STUDENTS_BY_COURSE_URL: `http://127.0.0.1:${port}`,
        COURSES_BY_STUDENT_URL: `http://127.0.0.1:${port}`,
      }
      const hanging = mute.use(await openHosts(kind, { ...platform.variables, ...nowhere }))
      for (const one of [api(), new Api(hanging, service)]) {
        for (const path of [service.related, 'enrolments']) {
          expectProblem(await inTime(one.get(`/${id}/${path}`), 8000), 'deadline_exceeded')
          expectProblem(await inTime(one.get(`/${service.absentId()}/${path}`), 8000), 'not_found')
        }
      }
    })

    it('gives nothing old from any of three instances', async () => {
      await using others = new AsyncDisposableStack()
      const more = await Promise.all([
        openHosts(kind, platform.variables),
        openHosts(kind, platform.variables),
      ])
      for (const one of more) others.use(one)
      await expectFresh(service, [target, ...more], 3000)
    })
  })

  it('answers 500 without a word where it is wrongly configured', async () => {
    if (kind === 'native') return
    await using wrong = await openHosts(kind, { ...platform.variables, CACHE_URL: 'redis', STUDENTS_URL: '' })
    const reply = await wrong.request('GET', '/api/students')
    const { trace_id: trace, ...rest } = reply.json
    expect(rest).toEqual({ type: 'about:blank', title: 'Internal error', status: 500, code: 'internal' })
    expect(trace).toBe(reply.traceId)
    expect((await wrong.request('GET', '/api/courses/x')).status).toBe(500)
  })
})
