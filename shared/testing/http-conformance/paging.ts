import { describe, expect, it } from 'vitest'
import { Api, expectProblem } from './expect.ts'
import { otherOf, type Service, services, unique } from './services.ts'
import type { Reply, Target } from './target.ts'

/** Pages, and the cursors between them. */
export function paging(target: () => Target): void {
  describe.each(services)('pages of $name', (service: Service) => {
    const api = () => new Api(target(), service)
    const [, field = ''] = service.texts

    /** Some that only this value finds, with ties in every other text. */
    async function some(count: number): Promise<{ mark: string; ids: string[] }> {
      const mark = unique()
      const made = await Promise.all(Array.from({ length: count }, () => api().create({ [field]: mark })))
      return { mark, ids: made.map((one) => one.id) }
    }

    async function walk(
      query: string,
      between: (page: Reply) => Promise<unknown> = async () => {},
    ): Promise<string[]> {
      const seen: string[] = []
      for (let cursor: string | null = ''; cursor !== null; ) {
        const page = await api().get(
          `?${query}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
        )
        expect(page.status, page.text).toBe(200)
        seen.push(...page.many.map((one) => String(one['id'])))
        cursor = page.nextCursor
        await between(page)
      }
      return seen
    }

    it('are walked to the end without a repeat or a gap, by every sort and with every size', async () => {
      const { mark, ids } = await some(11)
      for (const sort of [...service.texts, 'created_at'].flatMap((one) => [one, `-${one}`])) {
        const whole = (await api().get(`?${field}=${mark}&sort=${sort}&limit=200`)).many.map((one) =>
          String(one['id']),
        )
        expect(whole.toSorted()).toEqual(ids.toSorted())
        for (const limit of [1, 4, 10, 11]) {
          expect(await walk(`${field}=${mark}&sort=${sort}&limit=${limit}`)).toEqual(whole)
        }
      }
    })

    it('say in Link where the next one is, while there is one', async () => {
      const { mark } = await some(3)
      const first = await api().get(`?${field}=${mark}&limit=2&sort=-name`)
      const [, link = ''] = /^<([^>]+)>; rel="next"$/.exec(String(first.headers['link'])) ?? []
      expect(link.startsWith(`${service.path}?`)).toBe(true)
      expect(new URLSearchParams(link.split('?')[1]).get('cursor')).toBe(first.nextCursor)
      const second = await target().request('GET', link)
      expect([second.status, second.many.length, second.nextCursor, second.headers['link']]).toEqual([
        200,
        1,
        null,
        undefined,
      ])
      expect(first.many.map((one) => one['id'])).not.toContain(second.many[0]?.['id'])
      expect((await api().get(`?${field}=${mark}&limit=3`)).headers['link']).toBeUndefined()
    })

    it('neither repeat nor skip what was there throughout, while others come and go', async () => {
      for (const sort of ['name', '-name', 'created_at', '-created_at', field]) {
        const { mark, ids: staying } = await some(12)
        const { ids: going } = await some(0)
        for (let i = 0; i < 12; i++) going.push((await api().create({ [field]: mark })).id)
        const seen = await walk(`${field}=${mark}&sort=${sort}&limit=3`, async (page) => {
          const leaving = going.splice(0, 2)
          const here = page.many.map((one) => String(one['id'])).filter((id) => going.includes(id))
          await Promise.all([...leaving, ...here].map((id) => api().delete(id)))
          await Promise.all([api().create({ [field]: mark }), api().create({ [field]: mark })])
        }).then((all) => all.slice(0, 500))
        expect(new Set(seen).size, sort).toBe(seen.length)
        expect(seen).toEqual(expect.arrayContaining(staying))
      }
    })

    it('refuse a cursor that this query did not give', async () => {
      const { mark } = await some(3)
      const base = `?${field}=${mark}&limit=1`
      const cursor = (await api().get(base)).nextCursor ?? ''
      const other = new Api(target(), otherOf(service))
      await other.create()
      await other.create()
      const foreign = (await other.get('?limit=1')).nextCursor ?? ''
      const flipped = [...cursor].map((_, i) => {
        const bytes = Buffer.from(cursor)
        bytes[i] = (bytes[i] ?? 0) ^ 1
        return encodeURIComponent(bytes.toString('latin1'))
      })
      for (const query of [
        ...['', 'x', '1', 'null', '%00', '%F0%9F%98%80', 'eyJpZCI6MX0', encodeURIComponent(foreign)].map(
          (c) => `${base}&cursor=${c}`,
        ),
        ...flipped.map((c) => `${base}&cursor=${c}`),
        `${base}&cursor=${cursor}x`,
        `${base}&cursor=${cursor}%3D`,
        `${base}&cursor=${cursor.slice(0, -1)}`,
        `${base}&cursor=${cursor}&sort=name`,
        `${base}&cursor=${cursor}&sort=-created_at`,
        `?${field}=${mark}x&limit=1&cursor=${cursor}`,
        `?limit=1&cursor=${cursor}`,
        `${base}&cursor=${cursor}&name=abc`,
      ]) {
        expectProblem(await api().get(query), 'malformed', ['/cursor'])
      }
    })

    it('go on from a cursor with another size', async () => {
      const { mark, ids } = await some(5)
      const first = await api().get(`?${field}=${mark}&limit=2`)
      const rest = await api().get(`?cursor=${first.nextCursor}&limit=200&sort=created_at&${field}=${mark}`)
      const all = [...first.many, ...rest.many].map((one) => String(one['id']))
      expect(all.toSorted()).toEqual(ids.toSorted())
    })
  })
}
