import { describe, expect, it } from 'vitest'
import { Api, expectProblem } from './expect.ts'
import { courses, type Service, services, unique } from './services.ts'
import type { Target } from './target.ts'

/** What a list may be asked for. */
export function lists(target: () => Target): void {
  describe.each(services)('lists of $name', (service: Service) => {
    const api = () => new Api(target(), service)
    const query = (parameters: Record<string, string>): string => `?${new URLSearchParams(parameters)}`

    it('filters by exact values, all of which must match', async () => {
      const [one, two] = [unique(), unique()]
      const field = service.texts[1] ?? ''
      const first = await api().create({ name: one, [field]: 'Alpha' })
      const names = service.name === 'students' ? [two, two] : [one, two]
      const second = await api().create({ name: names[0], [field]: 'Beta' })
      await api().create({ name: names[1], [field]: 'Alpha' })
      expect((await api().get(query({ name: one, [field]: 'Alpha' }))).many).toEqual([first.one])
      expect((await api().get(query({ name: names[0] ?? '', [field]: 'Beta' }))).many).toEqual([second.one])
      for (const name of [one.toUpperCase(), one.slice(1), `${one}%`, '', '*', `${one}' or 1=1`]) {
        expect((await api().get(query({ name }))).many, name).toEqual([])
      }
    })

    it('filters by every text field, trimmed and normalised as what is stored', async () => {
      for (const field of service.texts) {
        const value = `${unique().slice(0, 10)}é 👍`
        const created = await api().create({ [field]: value })
        expect((await api().get(query({ [field]: ` ${value.normalize('NFD')} ` }))).many).toEqual([
          created.one,
        ])
      }
    })

    it('sorts by every text field and created_at, in code point order, the id as the last key', async () => {
      const mark = unique()
      const values = ['Zoë', 'abc', 'Abc', 'abc', '\uffffab', '😀ab', 'Éab', 'abc', 'ab-', 'zzz']
      for (const field of service.texts) {
        const filter = service.texts.find((one) => one !== field) ?? ''
        // Names are unique together, so a third text makes the difference where two are the same.
        const third = service.texts.find((one) => one !== field && one !== filter) ?? ''
        for (const value of values)
          await api().create({ [filter]: mark.slice(0, 17), [third]: unique(), [field]: value })
        const by = (sort: string) => api().get(query({ [filter]: mark.slice(0, 17), sort }))
        const sorted = (await by(field)).many.filter((one) => values.includes(String(one[field])))
        const keys = sorted.map((one) => [String(one[field]), String(one['id'])] as const)
        expect(keys.length).toBeGreaterThanOrEqual(values.length)
        expect(keys).toEqual(keys.toSorted(([a, x], [b, y]) => points(a, b) || points(x, y)))
        const down = (await by(`-${field}`)).many.filter((one) => values.includes(String(one[field])))
        expect(down).toEqual(sorted.toReversed())
        const created = (await by('created_at')).many
        expect((await by('-created_at')).many).toEqual(created.toReversed())
        const times = created.map((one) => `${one['created_at']} ${one['id']}`)
        expect(times).toEqual(times.toSorted())
      }
    })

    it('is sorted by created_at when nothing else is said, 50 to a page', async () => {
      const name = unique()
      await api().create({ name })
      const [plain, said] = [await api().get(), await api().get('?sort=created_at&limit=50')]
      expect(plain.json).toEqual(said.json)
      expect(plain.many.length).toBeLessThanOrEqual(50)
      expect(plain.headers.etag).toBeUndefined()
    })

    it('refuses with 400, all at once, what it does not know, or gets twice, or malformed', async () => {
      expectProblem(await api().get('?limit=0&sort=nonsense&nonsense=1&name=a&name=b'), 'malformed', [
        '/limit',
        '/name',
        '/nonsense',
        '/sort',
      ])
      for (const [bad, pointer] of [
        ...['0', '201', '-1', '1.5', '1e1', ' 1', '', 'x', '0x10', '99999'].map((n) => [
          `limit=${encodeURIComponent(n)}`,
          '/limit',
        ]),
        ...['id', 'version', 'created_at,name', '+name', '--name', '', 'Name', '$natural', '__proto__'].map(
          (s) => [`sort=${encodeURIComponent(s)}`, '/sort'],
        ),
        ...[
          'id',
          'version',
          'created_at',
          '__proto__',
          'constructor',
          'toString',
          'Name',
          'limit%20',
          service.linkField,
          'attributes',
        ].map((p) => [`${p}=x`, `/${decodeURIComponent(p)}`]),
        ['limit=1&limit=1', '/limit'],
        ['name=%00', '/name'],
        ['name=a%0ab', '/name'],
        ['name[$gt]=', '/name[$gt]'],
        ['name=%zz', ''],
        ['name=%E0%A4', ''],
        ['%', ''],
      ]) {
        const reply = await api().get(`?${bad}`)
        expectProblem(
          reply,
          'malformed',
          pointer === '' && reply.text.includes('""') ? undefined : [String(pointer)],
        )
      }
      const { id } = await api().create()
      for (const path of [`/${id}?x=1`, `/${id}?limit=1`, `/health?x`, `/${id}/${service.related}?limit=1`]) {
        expectProblem(await api().get(path), 'malformed')
      }
      expectProblem(await api().get('??limit=1'), 'malformed', ['/?limit'])
      expectProblem(await api().send('DELETE', `/${id}?force=1`), 'malformed')
      expectProblem(await api().send('POST', '?x=1', { body: service.make() }), 'malformed')
      expect((await api().get('?limit=200')).status).toBe(200)
      expect((await api().get('?')).status).toBe(200)
      expect((await api().get(`?name=a+b&limit=1`)).status).toBe(200)
    })
  })

  it('filters courses by kind', async () => {
    const api = new Api(target(), courses)
    const discipline = unique()
    const made = []
    for (const kind of ['in_class', 'elective', 'externship'])
      made.push(await api.create({ discipline, kind }))
    expect((await api.get(`?discipline=${discipline}&kind=elective`)).many).toEqual([made[1]?.one])
    expectProblem(await api.get('?kind=other'), 'malformed', ['/kind'])
    expectProblem(await api.get('?sort=kind'), 'malformed', ['/sort'])
  })
}

/** Plain code point order, which JavaScript's own comparison by UTF-16 units is not. */
function points(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
