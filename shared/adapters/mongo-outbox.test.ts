import { setTimeout as sleep } from 'node:timers/promises'
import { ObjectId } from 'mongodb'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { OutboxEntry } from '../resource/aggregate.ts'
import { describeMongo, noLeakedConnection, type TestMongo, testMongo } from '../testing/mongo.ts'
import { making, things } from '../testing/mongo-things.ts'
import { mongoStore, rawMongo } from '../testing/repository-contract/mongo-subject.ts'

noLeakedConnection()

const hour = 3_600_000
const day = 24 * hour

await describeMongo('the outbox in a document', 'any', () => {
  let mongo: TestMongo | undefined
  const open = () => mongoStore(mongo?.url ?? '', things)
  const openRaw = () => rawMongo(mongo?.url ?? '', things)
  beforeAll(async () => {
    mongo = await testMongo()
  })
  afterAll(() => mongo?.[Symbol.asyncDispose]())
  beforeEach(async () => {
    await using raw = openRaw()
    await raw.documents.deleteMany({})
  })

  async function create(): Promise<{ readonly id: string; readonly entry: OutboxEntry }> {
    await using store = open()
    const creation = making.creation()
    await store.repository.insert(creation)
    await sleep(5)
    return { id: creation.next.id, entry: creation.entry }
  }

  async function set(id: string, fields: Record<string, unknown>): Promise<void> {
    await using raw = openRaw()
    await raw.documents.updateOne({ _id: ObjectId.createFromHexString(id) }, { $set: fields })
  }

  async function stored(id: string) {
    await using raw = openRaw()
    return await raw.documents.findOne({ _id: ObjectId.createFromHexString(id) })
  }

  async function sweep(age = 0): Promise<OutboxEntry[]> {
    await using store = open()
    const found: OutboxEntry[] = []
    await store.outbox.sweep(age, 100, async (entry) => void found.push(entry))
    return found
  }

  it('is left to the sweeper that has the lease, until that is over', async () => {
    const { id, entry } = await create()
    await set(id, { outbox_lease: new Date(Date.now() + 400) })
    expect(await sweep()).toEqual([])
    await sleep(500)
    expect(await sweep()).toEqual([entry])
  })

  it('is not held back by clocks that are an hour ahead', async () => {
    const { id, entry } = await create()
    await set(id, { outbox_lease: new Date(Date.now() + hour) })
    expect(await sweep()).toEqual([entry])
    const later = await create()
    const at = new Date(Date.now() + hour)
    await set(later.id, { outbox_at: at, [`outbox.${later.entry.id}.at`]: at })
    expect(await sweep(5000)).toEqual([later.entry])
  })

  it('leads no sweeper to it when it is empty', async () => {
    const { id, entry } = await create()
    await using store = open()
    await store.outbox.settled([entry])
    expect(await stored(id)).toMatchObject({ outbox: {}, revision: 1 })
    expect(await stored(id)).not.toHaveProperty('outbox_at')
  })

  it('says how old its oldest entry is when an older one was settled', async () => {
    const { id, entry } = await create()
    const before = await stored(id)
    await sleep(20)
    await using store = open()
    await store.repository.change(id, making.editing({ name: 'edited' }))
    await store.outbox.settled([entry])
    expect((await stored(id))?.outbox_at).toEqual(before?.outbox_at)
    await store.outbox.sweep(0, 100, () => Promise.reject(new Error('nobody listens')))
    const [rest] = Object.values((await stored(id))?.outbox ?? {})
    expect((await stored(id))?.outbox_at).toEqual(rest?.at)
    expect(rest?.at.getTime()).toBeGreaterThan(before?.outbox_at?.getTime() ?? 0)
  })

  it('outlives its aggregate: the tombstone stays until all is told and thirty days are over', async () => {
    const { id, entry } = await create()
    await using store = open()
    await store.repository.change(id, making.deleting())
    await store.outbox.settled([entry])
    const tombstone = await stored(id)
    expect(tombstone).toMatchObject({ live: false, student_ids: [], links: {} })
    for (const field of ['name', 'version', 'created_at']) expect(tombstone).not.toHaveProperty(field)

    await set(id, { deleted_at: new Date(Date.now() - 31 * day) })
    await store.outbox.purge()
    expect(await stored(id)).not.toBeNull()
    expect(await sweep()).toHaveLength(1)

    await set(id, { deleted_at: new Date(Date.now() - 29 * day) })
    await store.outbox.purge()
    expect(await stored(id)).not.toBeNull()

    await set(id, { deleted_at: new Date(Date.now() - 31 * day) })
    await store.outbox.purge()
    expect(await stored(id)).toBeNull()
  })

  it('sweeps many without asking too much at once', async () => {
    await using store = open()
    const creations = Array.from({ length: 130 }, () => making.creation())
    for (let at = 0; at < creations.length; at += 10) {
      await Promise.all(creations.slice(at, at + 10).map((creation) => store.repository.insert(creation)))
    }
    await store.outbox.settled(creations.slice(0, 60).map(({ entry }) => entry))
    await sleep(5)
    const { settled } = await store.outbox.sweep(0, 100, async () => {})
    expect(settled).toBe(70)
  })
})
