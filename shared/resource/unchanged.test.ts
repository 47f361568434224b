import { randomBytes, randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { postgresStudents } from '../../functions/students/adapters/postgres-students.ts'
import { students } from '../../functions/students/student-resource.ts'
import { PostgresClient } from '../adapters/postgres-client.ts'
import { PostgresOutbox } from '../adapters/postgres-outbox.ts'
import { PostgresRepository } from '../adapters/postgres-repository.ts'
import { RedisCache } from '../adapters/redis-cache.ts'
import type { HandlerInput } from '../http/call.ts'
import { testDatabase } from '../testing/database.ts'
import { redisUrl } from '../testing/engines.ts'
import { creating, deleting, replacing } from './commands.ts'
import { Relay, relayed } from './relay.ts'

/*
 * A commit whose writer died before it invalidated the cache, or gave up waiting for the database's word: whoever writes
 * the same again is answered with what is committed, and after that answer nobody may be shown anything older.
 */

const body = { name: 'Countess', first_name: 'Ada', last_name: 'Lovelace', course_ids: [] }
const context = { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` }
const input = (of: Partial<HandlerInput>): HandlerInput => ({
  params: {},
  query: {},
  body,
  ifMatch: undefined,
  idempotencyKey: undefined,
  consumer: 'test',
  ...of,
})

test('an answer that changes nothing leaves nothing older in the cache', async () => {
  await using stack = new AsyncDisposableStack()
  const { url } = stack.use(await testDatabase())
  const client = stack.use(new PostgresClient({ url }))
  const service = `students-${randomBytes(4).toString('hex')}`
  const cache = stack.use(new RedisCache({ url: redisUrl(), service }))
  const events = { announce: async () => {}, tell: async () => {} }
  const outbox = new PostgresOutbox(client, postgresStudents.schema)
  const relay = stack.use(new Relay({ side: 'S', outbox, cache, events }))
  const untold = new PostgresRepository(client, postgresStudents)
  const writer = relayed(untold, relay)
  const idempotencyKey = randomUUID()

  const fill = async (namespace: string): Promise<void> =>
    cache.write(namespace, '', await cache.generation(namespace), 'old')
  const kept = async (namespace: string): Promise<unknown> => (await cache.read(namespace, '')).value

  // Committed, and never told: as when its process was killed at that moment.
  const { body: created } = await creating(students, untold)(input({ idempotencyKey }), context)
  const { data }: { data: { id: string } } = JSON.parse(JSON.stringify(created))
  await fill('list')
  await creating(students, writer)(input({ idempotencyKey }), context)
  expect(await kept('list')).toBeUndefined()

  const own = `id:${data.id}`
  const change = input({ params: { id: data.id }, body: { ...body, name: 'Baroness' } })
  await fill(own)
  await replacing(students, untold)(change, context)
  expect(await kept(own)).toBe('old')
  await replacing(students, writer)(change, context)
  expect(await kept(own)).toBeUndefined()

  // What is refused tells of the same commits.
  const refused = async (code: string, answer: Promise<unknown>): Promise<void> => {
    await expect(answer).rejects.toMatchObject({ code })
    expect([await kept(own), await kept('list')]).toEqual([
      code === 'conflict' ? 'old' : undefined,
      undefined,
    ])
  }
  await Promise.all([fill(own), fill('list')])
  await refused('precondition_failed', deleting(students, writer)({ ...change, ifMatch: '"v1"' }, context))
  await Promise.all([fill(own), fill('list')])
  await refused('conflict', creating(students, writer)(input({ body: change.body }), context))
  await deleting(students, untold)(change, context)
  await Promise.all([fill(own), fill('list')])
  await refused('not_found', deleting(students, writer)(change, context))
})
