import { describe, expect, it } from 'vitest'
import { Api, expectProblem } from './expect.ts'
import { type Service, services, unique } from './services.ts'
import type { Json, Reply, Target } from './target.ts'

export const hit = 'registrar; hit'
export const miss = 'registrar; fwd=miss; stored'
export const bypass = 'registrar; fwd=bypass'

/** What the cache says, and what it must never do: give what was, to who comes after a write was answered. */
export function caching(target: () => Target): void {
  describe.each(services)('cache of $name', (service: Service) => {
    const api = () => new Api(target(), service)
    const status = (reply: Reply) => reply.headers['cache-status']
    /** A fill may end after its answer. */
    async function untilHit(path: string): Promise<Reply> {
      for (let i = 0; i < 200; i++) {
        const reply = await api().get(path)
        if (status(reply) === hit) return reply
      }
      throw new Error(`never a hit: ${path}`)
    }

    it('says miss, then hit, for one and for a list, an empty list too', async () => {
      const { id, one, etag } = await api().create()
      for (const path of [`/${id}`, `?name=${one['name']}`, `?name=${unique()}`]) {
        const first = await api().get(path)
        expect(status(first), path).toBe(miss)
        const second = await untilHit(path)
        const { date: _, 'cache-status': __, connection: ___, ...headers } = first.headers
        expect(second.text).toBe(first.text)
        expect(second.headers).toMatchObject(headers)
      }
      expect((await untilHit(`/${id}`)).etag).toBe(etag)
      expect(status(await api().send('HEAD', `/${id}`))).toBe(hit)
    })

    it('tells queries apart, but not the same one spelled otherwise', async () => {
      const name = unique()
      await api().create({ name })
      await api().get(`?name=${name}&limit=7`)
      await untilHit(`?name=${name}&limit=7`)
      expect(status(await api().get(`?limit=7&sort=created_at&name=%20${name}`))).toBe(hit)
      for (const query of ['limit=8', 'limit=7&sort=name', 'limit=7&sort=-created_at']) {
        expect(status(await api().get(`?name=${name}&${query}`))).toBe(miss)
      }
    })

    it('keeps no 404, no 400 and nothing of health', async () => {
      for (const path of [`/${service.absentId()}`, '?limit=1&cursor=x']) {
        for (let i = 0; i < 2; i++) {
          const reply = await api().get(path)
          expect(reply.status).toBeGreaterThanOrEqual(400)
          expect(String(status(reply))).not.toContain('hit')
        }
      }
      for (let i = 0; i < 2; i++) {
        const health = await api().get('/health')
        expect([health.status, health.json, status(health)]).toEqual([200, { status: 'ok' }, bypass])
      }
    })

    it('forgets at every write', async () => {
      const { id, one } = await api().create()
      const list = `?name=${one['name']}`
      let at = one
      for (const write of [
        () => api().patch(id, { [service.texts[1] ?? '']: unique() }),
        () => api().put(id, { ...at, [service.texts[2] ?? '']: unique() }),
        () => api().delete(id),
      ]) {
        for (const path of [`/${id}`, list]) {
          await api().get(path)
          await untilHit(path)
        }
        const written = await write()
        const [got, listed] = [await api().get(`/${id}`), await api().get(list)]
        if (written.status === 204) {
          expectProblem(got, 'not_found')
          expect(listed.many).toEqual([])
        } else {
          at = written.one
          expect([status(got), got.one, listed.many]).toEqual([miss, at, [at]])
        }
      }
      const empty = `?name=${unique()}`
      await api().get(empty)
      await untilHit(empty)
      const created = await api().create({ name: empty.slice(6) })
      expect((await api().get(empty)).many).toEqual([created.one])
    })

    it('never gives what was before a write to who asks after its answer', async () => {
      await expectFresh(service, [target()], 1500)
    })
  })
}

/** Writers and readers on one entity, over many instances; each reader knows what was answered before it asked. */
export async function expectFresh(
  service: Service,
  targets: readonly Target[],
  duration: number,
): Promise<void> {
  const apis = targets.map((one) => new Api(one, service))
  const [first] = apis
  if (!first) throw new Error('no target')
  const mark = unique()
  const field = service.texts[1] ?? ''
  const { id } = await first.create({ [field]: mark })
  const end = Date.now() + duration
  // On a slow machine until something was tried, but not for ever.
  const late = end + 20_000
  let written = 1
  let reads = 0
  let hits = 0
  const tried = (): boolean => written > 5 && reads > written && hits > 0
  const going = (): boolean => Date.now() < (tried() ? end : late)
  const versionOf = (one: Json | undefined): number => Number(one?.['version'] ?? 0)

  async function writer(api: Api): Promise<void> {
    while (going()) {
      const reply = await api.patch(id, { name: unique() })
      // On a machine that is too busy a write may be refused: that promises nothing.
      if (reply.status === 503) continue
      expect(reply.status, reply.text).toBe(200)
      written = Math.max(written, versionOf(reply.one))
      // Pauses in which the cache has something to give.
      if (written % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  async function reader(api: Api, path: string): Promise<void> {
    while (going()) {
      const before = written
      const reply = await api.get(path)
      if (reply.status === 503) continue
      expect(reply.status, reply.text).toBe(200)
      const one = path.startsWith('?') ? reply.many[0] : reply.one
      expect(versionOf(one), `${path} after version ${before}`).toBeGreaterThanOrEqual(before)
      reads++
      if (reply.headers['cache-status'] === hit) hits++
    }
  }

  await Promise.all(
    apis.flatMap((api) => [
      writer(api),
      reader(api, `/${id}`),
      reader(api, `/${id}`),
      reader(api, `?${field}=${mark}`),
      reader(api, `?${field}=${mark}&sort=-name&limit=3`),
    ]),
  )
  expect({ tried: tried(), written, reads, hits }).toMatchObject({ tried: true })
}
