import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, it } from 'vitest'
import type { Register } from '../../enrolment/register.ts'
import { collectTombstones } from '../../enrolment/tombstones.ts'
import type { OutboxEntry } from '../../resource/aggregate.ts'
import type { World } from './world.ts'

/** In milliseconds, in 2020: before every register of the other tests, so that none but those made here are old. */
const before = 1_600_000_000_000
const at = before * 1000

export function tombstoneTests<F extends object>(world: World<F>): void {
  const { subject } = world
  beforeEach(() => world.drain())

  const ended = (age: number, origin: 'S' | 'C' = 'S'): Register => ({ present: false, ts: at - age, origin })
  const present = (ts: number): Register => ({ present: true, ts, origin: 'C' })

  /** One with these registers, with nothing left to tell. */
  async function withLinks(registers: readonly Register[]): Promise<{ id: string; others: string[] }> {
    const id = await world.create()
    const others = registers.map(() => subject.newOther())
    for (const [i, register] of registers.entries())
      await world.repository.change(id, world.linking(others[i] ?? '', register, false))
    await world.drain()
    return { id, others }
  }

  const collect = (id: string, { repository } = world.first): Promise<number> =>
    repository.collect(id, ({ links, floor }) =>
      collectTombstones({ links, floor, now: before + 1000, olderThan: 1000 }),
    )

  const find = (limit = 1000): Promise<readonly string[]> => world.repository.withTombstones(before, limit)

  const floorOf = (id: string): Promise<number | undefined> =>
    world.repository.change(id, (current) => ({ result: current?.floor }))

  /** Lets what was told or is to be told now be of before. */
  const ageOutbox = (): Promise<void> => subject.age(Date.now() - before + 1000)

  /** Leaves nothing old behind. */
  async function clear(): Promise<void> {
    for (const id of await find()) await collect(id)
    expect(await find()).toEqual([])
  }

  it('are found by what is old and not present, the oldest first, at most as many as asked for', async () => {
    await clear()
    const [young, kept, rejected] = [
      await withLinks([ended(0), present(at + 1)]),
      await withLinks([present(at - 9)]),
      await withLinks([{ present: false, ts: at - 3, origin: 'C', reason: 'course_full' }, present(at - 7)]),
    ]
    const [oldest, other] = [await withLinks([ended(5), ended(4)]), await withLinks([ended(0), ended(1)])]
    expect(new Set(await find())).toEqual(new Set([rejected.id, oldest.id, other.id]))
    expect(await find(1)).toEqual([oldest.id])
    await clear()
    expect(await world.repository.links(young.id)).toHaveProperty('size', 2)
    expect(await world.repository.links(kept.id)).toHaveProperty('size', 1)
  })

  it('are dropped, with the floor raised to the highest of them', async () => {
    const young: Register = { present: false, ts: at + 5, origin: 'C', reason: 'course_full' }
    const { id, others } = await withLinks([ended(7), ended(3, 'C'), present(at - 5), young])
    expect(await collect(id)).toBe(2)
    const left = new Map([
      [others[2], present(at - 5)],
      [others[3], young],
    ])
    expect(await world.second.repository.links(id)).toEqual(left)
    expect(await floorOf(id)).toBe(at - 3)
    expect(await find()).not.toContain(id)
    expect(await collect(id)).toBe(0)
    expect(await floorOf(id)).toBe(at - 3)
    // What ends next is found again.
    await world.repository.change(id, world.linking(others[2] ?? '', ended(1), false))
    await world.drain()
    expect(await find()).toContain(id)
    expect(await collect(id)).toBe(1)
    expect(await floorOf(id)).toBe(at - 1)
  })

  it('go without a trace that readers see, and without a word to anybody', async () => {
    const { id } = await withLinks([present(at - 5), ended(3)])
    const seen = await world.repository.get(id)
    expect(await collect(id)).toBe(1)
    expect(await world.repository.get(id)).toEqual(seen)
    await sleep(5)
    const told: OutboxEntry[] = []
    await world.first.outbox.sweep(0, 100, async (entry) => void told.push(entry))
    expect(told).toEqual([])
  })

  it('stay while their aggregate has something old to tell', async () => {
    const { id } = await withLinks([ended(3)])
    expect(await find()).toContain(id)
    await world.repository.change(id, world.linking(subject.newOther(), ended(2), false))
    // That is of now, and so not of what is old.
    expect(await find()).toContain(id)
    await ageOutbox()
    expect(await find()).not.toContain(id)
    await world.first.outbox.sweep(0, 100, () => Promise.reject(new Error('nobody listens')))
    expect(await find()).not.toContain(id)
    await world.drain()
    expect(await find()).toContain(id)
    expect(await collect(id)).toBe(2)
  })

  it('do not hide behind those that stay', async () => {
    await clear()
    const [first, second] = [await withLinks([ended(9)]), await withLinks([ended(2)])]
    await world.repository.change(first.id, world.editing(subject.fields()))
    await ageOutbox()
    expect(await find(1)).toEqual([second.id])
    await world.drain()
    await clear()
  })

  it('are dropped as they are by then: a link that began anew meanwhile stays', async () => {
    const { id, others } = await withLinks(Array.from({ length: 24 }, (_, i) => ended(i + 1)))
    const again = others.filter((_, i) => i % 2 === 0)
    const collections = [world.first, world.second].map((store) => collect(id, store))
    const [counts] = await Promise.all([
      Promise.all(collections),
      ...again.map((other, i) => {
        const { repository } = i % 4 < 2 ? world.first : world.second
        return repository.change(id, world.linking(other, present(at + i)))
      }),
    ])
    expect(await world.repository.links(id)).toEqual(
      new Map(again.map((other, i) => [other, present(at + i)])),
    )
    expect(await world.repository.get(id)).toMatchObject({ version: 1 + again.length })
    // The highest that was there when the first of the two came, which both agree about.
    expect(await floorOf(id)).toBeGreaterThanOrEqual(at - 2)
    expect(Math.max(...counts)).toBeGreaterThanOrEqual(12)
    expect(counts.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(24)
  })

  it('leave a link alone that begins anew at any moment of a collection', async () => {
    const { id, others } = await withLinks([ended(1)])
    const [other = ''] = others
    // Each round it ends anew, later than the floor stands, and begins at another moment.
    for (let round = 0; round < 40; round++) {
      const ts = at + 10 * round
      await world.second.repository.change(id, world.linking(other, { ...ended(0), ts }, false))
      const collection = world.first.repository.collect(id, ({ links, floor }) =>
        collectTombstones({ links, floor, now: before + 2000, olderThan: 1000 }),
      )
      const until = performance.now() + round / 10
      while (performance.now() < until) await immediate()
      await Promise.all([
        collection,
        world.second.repository.change(id, world.linking(other, present(ts + 1), false)),
      ])
      expect((await world.repository.links(id))?.get(other)).toEqual(present(ts + 1))
    }
  })

  it('are no more when their aggregate is deleted, also between the search and the collection', async () => {
    const { id } = await withLinks([ended(3)])
    expect(await find()).toContain(id)
    await world.repository.change(id, world.deleting())
    expect(await collect(id)).toBe(0)
    await world.drain()
    expect(await find()).not.toContain(id)
    expect(await world.repository.get(id)).toBeUndefined()
    expect(await collect(subject.newId())).toBe(0)
  })
}
