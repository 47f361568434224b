import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeMongo, noLeakedConnection, type TestMongo, testMongo } from '../testing/mongo.ts'
import { things } from '../testing/mongo-things.ts'
import { rawMongo } from '../testing/repository-contract/mongo-subject.ts'
import { MongoIndexes } from './mongo-indexes.ts'

noLeakedConnection()

await describeMongo('the indexes on MongoDB', 'any', () => {
  let mongo: TestMongo | undefined
  const indexes = () => new MongoIndexes({ url: mongo?.url ?? '', mapping: things })
  const openRaw = () => rawMongo(mongo?.url ?? '', things)
  beforeEach(async () => {
    mongo = await testMongo()
  })
  afterEach(() => mongo?.[Symbol.asyncDispose]())

  it('are made once', async () => {
    const steps = await indexes().plan()
    expect(steps.map(({ title }) => title)).toEqual([
      'collection things: create index live_1_created_at_1__id_1',
      'collection things: create index live_1_name_1__id_1',
      'collection things: create index live_1_name_1_created_at_1__id_1',
      'collection things: create index student_ids_1__id_1',
      'collection things: create index outbox_at_1',
      'collection things: create index deleted_at_1',
      'collection things: create index ended_ts_1',
      'collection idempotency: create index at_1',
    ])
    expect(steps.filter(({ destructive }) => destructive)).toEqual([])
    for (const step of steps) await step.apply()
    expect(await indexes().plan()).toEqual([])
    // Another initializer that planned at the same time.
    for (const step of steps) await step.apply()
    expect(await indexes().plan()).toEqual([])
  })

  it('show as missing, and as replaced when another has the name; those of others stay', async () => {
    for (const step of await indexes().plan()) await step.apply()
    await using raw = openRaw()
    await raw.documents.createIndex({ theirs: 1 })
    await raw.documents.dropIndex('outbox_at_1')
    await raw.documents.dropIndex('student_ids_1__id_1')
    await raw.documents.createIndex({ student_ids: -1 }, { name: 'student_ids_1__id_1' })
    const steps = await indexes().plan()
    expect(steps).toMatchObject([
      { title: 'collection things: replace index student_ids_1__id_1', destructive: true },
      { title: 'collection things: create index outbox_at_1' },
    ])
    for (const step of steps) await step.apply()
    expect(await indexes().plan()).toEqual([])
    expect(await raw.documents.indexExists('theirs_1')).toBe(true)
  })
})
