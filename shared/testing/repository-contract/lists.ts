import { expect, it } from 'vitest'
import type { Entity } from '../../resource/aggregate.ts'
import type { PageQuery } from '../../resource/ports.ts'
import type { World } from './world.ts'

type Order = Omit<PageQuery, 'limit' | 'after'>

export function listTests<F extends object>(world: World<F>): void {
  const { subject } = world
  const [text, group] = subject.texts
  let groups = 0
  /** Keeps the entities of one test apart from all others. */
  const newGroup = (): string => `group ${++groups}`
  const sortKey = ({ fields, createdAt }: Entity<F>, sort: string): string | number =>
    sort === 'created_at' ? createdAt : String(Object.entries(fields).find(([field]) => field === sort)?.[1])

  async function* walk(order: Order, limit: number): AsyncGenerator<readonly Entity<F>[]> {
    for (let after: PageQuery['after']; ; ) {
      const { items, more } = await world.repository.list({ ...order, limit, ...(after ? { after } : {}) })
      yield items
      const last = items.at(-1)
      if (!more || !last) return
      after = { value: sortKey(last, order.sort), id: last.id }
    }
  }

  async function whole(order: Order, limit: number): Promise<Entity<F>[]> {
    const entities: Entity<F>[] = []
    for await (const page of walk(order, limit)) entities.push(...page)
    return entities
  }

  it('sorts text by code points, in both directions', async () => {
    const kept = newGroup()
    // By UTF-16 units the last would come before U+FFFD; by a language's rules 'a' before 'Z'.
    const sorted = ['10', '9', 'Zoë', 'a', 'a b', 'ab', 'ähnlich', 'ﬀ', '\uFFFD', '😀', '😁']
    for (const value of sorted.toReversed())
      await world.create(subject.fields({ [text]: value, [group]: kept }))
    const order = { sort: text, filter: { [group]: kept } }
    const values = async (descending: boolean): Promise<unknown[]> =>
      (await whole({ ...order, descending }, 4)).map((one) => sortKey(one, text))
    expect(await values(false)).toEqual(sorted)
    expect(await values(true)).toEqual(sorted.toReversed())
  })

  it.each([text, 'created_at'])('orders what has the same %s by id, and pages within it', async (sort) => {
    const kept = newGroup()
    const ids: string[] = []
    for (let i = 0; i < 7; i++) {
      const fields = subject.fields({ [group]: kept, [text]: 'the same' })
      ids.push(await world.create(fields, [], 1_763_960_000_123))
    }
    const order = { sort, filter: { [group]: kept } }
    const found = async (descending: boolean): Promise<string[]> =>
      (await whole({ ...order, descending }, 2)).map(({ id }) => id)
    expect(await found(false)).toEqual(ids.toSorted())
    expect(await found(true)).toEqual(ids.toSorted().reverse())
  })

  it('sorts by time to the millisecond', async () => {
    const kept = newGroup()
    const times = [1_763_960_000_122, 1_763_960_000_123, 1_763_960_000_124, 1_763_960_001_000]
    for (const time of times.toReversed()) await world.create(subject.fields({ [group]: kept }), [], time)
    const order = { sort: 'created_at', filter: { [group]: kept } }
    expect((await whole({ ...order, descending: false }, 1)).map((one) => one.createdAt)).toEqual(times)
    expect((await whole({ ...order, descending: true }, 1)).map((one) => one.createdAt)).toEqual(
      times.toReversed(),
    )
  })

  it('finds what has exactly the values of all the filters', async () => {
    const kept = newGroup()
    const wanted = await world.create(subject.fields({ [text]: 'Wanted', [group]: kept }))
    await world.create(subject.fields({ [text]: 'wanted', [group]: kept }))
    await world.create(subject.fields({ [text]: 'Wanted 2', [group]: kept }))
    await world.create(subject.fields({ [text]: 'Wanted', [group]: newGroup() }))
    const found = (filter: Record<string, string>): Promise<Entity<F>[]> =>
      whole({ sort: 'created_at', descending: true, filter }, 10)
    expect((await found({ [text]: 'Wanted', [group]: kept })).map(({ id }) => id)).toEqual([wanted])
    expect(await found({ [text]: 'Wante', [group]: kept })).toEqual([])
    expect(await found({ [text]: '$ne', [group]: kept })).toEqual([])
  })

  it('says whether there is more', async () => {
    const kept = newGroup()
    for (let i = 0; i < 3; i++) await world.create(subject.fields({ [group]: kept }))
    const query = { sort: text, descending: false, filter: { [group]: kept } }
    expect(await world.repository.list({ ...query, limit: 2 })).toMatchObject({ more: true })
    expect(await world.repository.list({ ...query, limit: 3 })).toMatchObject({ more: false })
  })

  it.each([
    [text, false],
    [text, true],
    ['created_at', true],
  ])(
    'repeats none and skips none while others come and go (%s, descending: %s)',
    async (sort, descending) => {
      const kept = newGroup()
      const fields = (i: number) =>
        subject.fields({ [text]: `n${String(i * 7919).padStart(8, '0')}`, [group]: kept })
      const lasting: string[] = []
      const fleeting: string[] = []
      for (let i = 0; i < 30; i++)
        (i % 3 === 0 ? fleeting : lasting).push(await world.create(fields(i), [], 1e12 + i))
      const seen: string[] = []
      let coming = 30
      for await (const page of walk({ sort, descending, filter: { [group]: kept } }, 4)) {
        seen.push(...page.map(({ id }) => id))
        const { repository } = world.second
        const going = fleeting.pop()
        await Promise.all([
          repository.insert(world.creation(fields(coming++), [], 1e12 + ((coming * 5) % 30))),
          going === undefined ? undefined : repository.change(going, world.deleting()),
        ])
      }
      expect(new Set(seen).size).toBe(seen.length)
      expect(lasting.filter((id) => !seen.includes(id))).toEqual([])
    },
  )
}
