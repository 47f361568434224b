import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeMongo, noLeakedConnection, type TestMongo, testMongo } from '../testing/mongo.ts'
import { MortalDatabase, making, things } from '../testing/mongo-things.ts'
import { mongoStore, rawMongo } from '../testing/repository-contract/mongo-subject.ts'
import { MongoRepository } from './mongo-repository.ts'

noLeakedConnection()

await describeMongo('creations under an Idempotency-Key that die half way, on MongoDB', 'any', () => {
  let mongo: TestMongo | undefined
  const url = (): string => mongo?.url ?? ''
  beforeAll(async () => {
    mongo = await testMongo()
  })
  afterAll(() => mongo?.[Symbol.asyncDispose]())

  /** Begins a creation in a process that dies. */
  async function begin(key: string, call: number, done: boolean): Promise<string> {
    const database = new MortalDatabase(url(), { call, done })
    const creation = making.creation()
    const { id } = creation.next
    const outcome = new MongoRepository(database, things).insert(creation, { key, payload: 'p', answer: id })
    await Promise.race([outcome, reached(key, id, call, done)])
    await database[Symbol.asyncDispose]()
    return id
  }

  /** Resolves when the database shows what the dead process did last. */
  async function reached(key: string, id: string, call: number, done: boolean): Promise<void> {
    await using raw = rawMongo(url(), things)
    const steps = done ? call : call - 1
    await expect
      .poll(async () => {
        const pinned = await raw.claims.countDocuments({ _id: key })
        const inserted = await raw.documents.find({}).toArray()
        return pinned + Number(inserted.some(({ _id }) => _id.toHexString() === id))
      })
      .toBe(Math.min(steps, 2))
  }

  async function pinnedLongAgo(key: string): Promise<void> {
    await using raw = rawMongo(url(), things)
    await raw.claims.updateOne({ _id: key }, { $set: { at: new Date(Date.now() - 10_000) } })
  }

  it.each([
    ['after the claim, before the document', 2, false],
    ['after the document, before the claim is marked', 2, true],
    ['after all of it, before the answer', 3, true],
  ] as const)(
    '%s: the next one gives the pinned answer, and there is one document',
    async (name, call, done) => {
      const id = await begin(name, call, done)
      await using store = mongoStore(url(), things)
      const claim = (answer: string) => ({ key: name, payload: 'p', answer })
      if (call < 3) {
        // It may still be alive.
        await expect(store.repository.insert(making.creation(), claim('x'))).rejects.toMatchObject({
          code: 'conflict',
        })
        await expect(
          store.repository.insert(making.creation(), { ...claim('x'), payload: 'q' }),
        ).rejects.toMatchObject({ code: 'invalid' })
      }
      await pinnedLongAgo(name)
      const others = Array.from({ length: 6 }, () => making.creation())
      const insertions = await Promise.all(
        others.map((creation) => store.repository.insert(creation, claim(creation.next.id))),
      )
      expect(insertions).toEqual(others.map(() => ({ created: false, answer: id })))
      expect(await store.repository.get(id)).toMatchObject({ id, version: 1, fields: { name: 'thing' } })
      for (const { next } of others) expect(await store.repository.get(next.id)).toBeUndefined()
      await using raw = rawMongo(url(), things)
      expect(await raw.claims.findOne({ _id: name })).not.toHaveProperty('document')
    },
  )

  it('has what it pinned told by the sweeper', async () => {
    const id = await begin('told', 2, false)
    await pinnedLongAgo('told')
    await using store = mongoStore(url(), things)
    await store.repository.insert(making.creation(), { key: 'told', payload: 'p', answer: '' })
    const subjects: string[] = []
    await expect
      .poll(() => store.outbox.sweep(0, 100, async (entry) => void subjects.push(entry.subject)))
      .toBeDefined()
    expect(subjects).toContain(id)
  })

  it('brings nothing back that was deleted meanwhile', async () => {
    const id = await begin('deleted', 2, true)
    await using store = mongoStore(url(), things)
    await store.repository.change(id, making.deleting())
    await pinnedLongAgo('deleted')
    const again = await store.repository.insert(making.creation(), {
      key: 'deleted',
      payload: 'p',
      answer: '',
    })
    expect(again).toEqual({ created: false, answer: id })
    expect(await store.repository.get(id)).toBeUndefined()
  })

  it('is not stopped by a claim of a clock that is ahead', async () => {
    const id = await begin('ahead', 2, false)
    await using raw = rawMongo(url(), things)
    await raw.claims.updateOne({ _id: 'ahead' }, { $set: { at: new Date(Date.now() + 3_600_000) } })
    await using store = mongoStore(url(), things)
    const again = await store.repository.insert(making.creation(), { key: 'ahead', payload: 'p', answer: '' })
    expect(again).toEqual({ created: false, answer: id })
  })
})
