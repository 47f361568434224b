import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, it } from 'vitest'
import type { Decide, OutboxEntry } from '../../resource/aggregate.ts'
import type { World } from './world.ts'

const day = 24 * 60 * 60 * 1000

export function outboxTests<F extends object>(world: World<F>): void {
  const { subject } = world
  beforeEach(() => world.drain())

  /** What a sweep finds, told or not. */
  async function sweep(
    limit = 100,
    outbox = world.first.outbox,
    relay = async () => {},
  ): Promise<OutboxEntry[]> {
    await sleep(5)
    const found: OutboxEntry[] = []
    await outbox.sweep(0, limit, async (entry) => {
      found.push(entry)
      await relay()
    })
    return found
  }

  /** Runs the decision and remembers the entry that it wants written. */
  async function change(id: string, decide: Decide<F, unknown>): Promise<OutboxEntry | undefined> {
    let entry: OutboxEntry | undefined
    await world.repository.change(id, (current) => {
      const decision = decide(current)
      entry = decision.change?.entry
      return decision
    })
    return entry
  }

  it('has an entry for each mutation, in full and once', async () => {
    const creation = world.creation(undefined, [subject.newOther(), subject.newOther()])
    await world.repository.insert(creation)
    const { id } = creation.next
    const edit = await change(id, world.editing(subject.fields()))
    const removal = await change(id, world.deleting())
    expect(removal?.links).toHaveLength(2)
    expect(await sweep()).toEqual([creation.entry, edit, removal])
    expect(await sweep()).toEqual([])
  })

  it('has none for what was not written', async () => {
    const id = await world.create()
    await world.drain()
    await world.repository.change(id, () => ({ result: undefined }))
    const refused = world.repository.change(id, (current) => {
      world.editing(subject.fields())(current)
      throw new Error('refused')
    })
    await expect(refused).rejects.toThrow('refused')
    expect(await sweep()).toEqual([])
  })

  it('leaves out what was settled, of one aggregate and of many', async () => {
    const creations = [world.creation(), world.creation(), world.creation()]
    for (const creation of creations) await world.repository.insert(creation)
    const [first, second, third] = creations
    const edit = await change(first?.next.id ?? '', world.editing(subject.fields()))
    const told = [first?.entry, third?.entry].filter((entry) => entry !== undefined)
    await world.first.outbox.settled(told)
    await world.first.outbox.settled(told)
    await world.first.outbox.settled([])
    expect(new Set(await sweep())).toEqual(new Set([edit, second?.entry]))
  })

  it('leaves the young ones to those who wrote them', async () => {
    await world.create()
    const young = await world.first.outbox.sweep(60_000, 100, async () => {})
    expect(young).toEqual({ settled: 0, oldest: 0 })
    await subject.age(120_000)
    const old = await world.first.outbox.sweep(60_000, 100, async () => {})
    expect(old.settled).toBe(1)
    expect(old.oldest).toBeGreaterThanOrEqual(120_000)
    expect(old.oldest).toBeLessThan(180_000)
  })

  it('keeps what could not be told, and only that', async () => {
    const creations = [world.creation(), world.creation()]
    for (const creation of creations) await world.repository.insert(creation)
    const id = creations[0]?.next.id ?? ''
    const edit = await change(id, world.editing(subject.fields()))
    await sleep(5)
    const { settled } = await world.first.outbox.sweep(0, 100, async (entry) => {
      if (entry.id === creations[0]?.entry.id) throw new Error('nobody listens')
    })
    expect(settled).toBe(2)
    expect(edit?.id).not.toBe(creations[0]?.entry.id)
    // At once, and by anyone.
    expect(await sweep(100, world.second.outbox)).toEqual([creations[0]?.entry])
  })

  it('takes at most as many as it may, the oldest first', async () => {
    const creations = Array.from({ length: 5 }, () => world.creation())
    for (const creation of creations) {
      await world.repository.insert(creation)
      await sleep(3)
    }
    const edit = await change(creations[0]?.next.id ?? '', world.editing(subject.fields()))
    const entries = [...creations.map(({ entry }) => entry), edit]
    const found = [...(await sweep(2)), ...(await sweep(2)), ...(await sweep(2))]
    expect(new Set(found)).toEqual(new Set(entries))
    expect(found[0]).toEqual(entries[0])
    expect(await sweep(2)).toEqual([])
  })

  it('leads who goes on past those that cannot be told, however many they are', async () => {
    const creations = Array.from({ length: 7 }, () => world.creation())
    for (const creation of creations) {
      await world.repository.insert(creation)
      await sleep(3)
    }
    const stuck = new Set(creations.slice(0, 5).map(({ entry }) => entry.id))
    const told: string[] = []
    let after: string | undefined
    let pages = 0
    do {
      const swept = await world.first.outbox.sweep(
        0,
        2,
        async ({ id }) => {
          if (stuck.has(id)) throw new Error('nobody listens')
          told.push(id)
        },
        after,
      )
      after = swept.next
      pages++
    } while (after !== undefined)
    expect([told, pages]).toEqual([creations.slice(5).map(({ entry }) => entry.id), 4])
    expect(await sweep()).toEqual(creations.slice(0, 5).map(({ entry }) => entry))
  })

  it('gives each entry to one of the sweepers that come at once', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, () => world.create()))
    for (const id of ids.slice(0, 4)) await change(id, world.editing(subject.fields()))
    await sleep(5)
    const active = new Set<string>()
    const told: string[] = []
    const relay = async ({ id }: OutboxEntry): Promise<void> => {
      expect(active.has(id)).toBe(false)
      active.add(id)
      await sleep(50)
      active.delete(id)
      told.push(id)
    }
    const outboxes = [world.first.outbox, world.second.outbox, world.first.outbox, world.second.outbox]
    const swept = await Promise.all(outboxes.map((outbox) => outbox.sweep(0, 5, relay)))
    for (let more = true; more; ) more = (await world.first.outbox.sweep(0, 5, relay)).settled > 0
    expect(told).toHaveLength(16)
    expect(new Set(told).size).toBe(16)
    // Of five aggregates four may have two.
    expect(Math.max(...swept.map(({ settled }) => settled))).toBeLessThanOrEqual(9)
  })

  it('lets others write and settle while it sweeps', async () => {
    const creation = world.creation()
    await world.repository.insert(creation)
    const { id } = creation.next
    let edit: OutboxEntry | undefined
    await sleep(5)
    await world.first.outbox.sweep(0, 100, async () => {
      edit = await change(id, world.editing(subject.fields()))
      await world.second.outbox.settled([world.entry(id)])
    })
    expect(await sweep()).toEqual([edit])
    expect(await world.repository.get(id)).toMatchObject({ version: 2 })
  })

  it('drops what is past its time, and nothing else', async () => {
    await subject.age(40 * day)
    await world.first.outbox.purge()
    expect(await subject.leftovers()).toBe(0)

    const gone = await world.create()
    await world.drain()
    const removal = await change(gone, world.deleting())
    const kept = await world.create()
    await world.repository.insert(world.creation(), { key: gone, payload: '', answer: '' })
    await subject.age(31 * day)
    await world.first.outbox.purge()
    const unsettled = await sweep()
    expect(unsettled).toContainEqual(removal)
    expect(unsettled).toHaveLength(3)
    expect(await world.repository.get(kept)).toBeDefined()

    await subject.age(day)
    await world.first.outbox.purge()
    expect(await subject.leftovers()).toBe(0)
  })
}
