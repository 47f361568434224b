import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type NatsConnection } from 'nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NatsStreams } from '../../shared/adapters/nats-streams.ts'
import { passwordOf } from '../../shared/provision/credentials.ts'
import { discoverFunctions } from '../../shared/spec/discover.ts'
import { startNats } from '../engines/nats.ts'
import { consumersOf } from '../generate/consumers.ts'
import { Guardian } from '../local/guardian.ts'
import { natsFunctions, natsUsers } from './nats-users.ts'

const stack = new AsyncDisposableStack()
const key = randomBytes(24).toString('hex')
const functions = await discoverFunctions(join(import.meta.dirname, '../..'))
const consumers = consumersOf(functions)
const users = natsFunctions(functions).map(({ name }) => name.slug)
let server: string

beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'registrar-nats-users-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const guardian = stack.use(new Guardian())
  const nats = stack.use(
    await startNats({
      dir,
      password: 'test',
      env: guardian.mark,
      onSpawn: guardian.watch.bind(guardian),
      users: natsUsers(functions, (slug) => passwordOf(key, slug)),
    }),
  )
  server = `127.0.0.1:${nats.port}`
  await using streams = new NatsStreams({
    url: nats.url,
    name: 'platform/initialize',
    consumers,
    maxAckPending: 64,
  })
  for (const step of await streams.plan()) await step.apply()
})
afterAll(() => stack.disposeAsync())

async function as<T>(
  user: string,
  work: (connection: NatsConnection) => Promise<T>,
  pass = passwordOf(key, user),
): Promise<T> {
  const connection = await connect({
    servers: server,
    user,
    pass,
    inboxPrefix: `_INBOX.${user}`,
    reconnect: false,
    timeout: 2000,
  })
  try {
    return await work(connection)
  } finally {
    await connection.close()
  }
}

/** Subjects of everything that one can ask of this system. */
const all = [
  'student.to_modify',
  'student.modified',
  'course.to_modify',
  'course.modified',
  ...consumers.flatMap(({ stream, consumer }) => [
    `dead_letter.${consumer}`,
    `$JS.ACK.${stream}.${consumer}.1.1.1.1.1`,
    ...[stream, 'Advisories'].flatMap((of) => {
      const name = of === stream ? consumer : `${consumer}-advisories`
      return [
        `$JS.API.CONSUMER.INFO.${of}.${name}`,
        `$JS.API.CONSUMER.MSG.NEXT.${of}.${name}`,
        `$JS.API.CONSUMER.DELETE.${of}.${name}`,
      ]
    }),
    `$JS.API.STREAM.MSG.GET.${stream}`,
    `$JS.API.STREAM.MSG.DELETE.${stream}`,
    `$JS.API.STREAM.PURGE.${stream}`,
    `$JS.API.STREAM.DELETE.${stream}`,
    `$JS.API.STREAM.UPDATE.${stream}`,
  ]),
  '$JS.API.INFO',
  '$JS.API.STREAM.NAMES',
  '$JS.API.STREAM.CREATE.Theirs',
  '$JS.API.STREAM.MSG.GET.DeadLetter',
  '$JS.API.STREAM.PURGE.DeadLetter',
  '$SYS.REQ.SERVER.PING',
  'anything.else',
  '_INBOX.courses-enrol.x',
]

/** Of what is asked last, since it would end what the rest asks about. */
const destructive = /MSG\.DELETE|PURGE|STREAM\.DELETE|CONSUMER\.DELETE/

/** What the server refuses a connection while some work is done. */
async function refusedDuring(connection: NatsConnection, work: () => void): Promise<Set<string>> {
  const refused = new Set<string>()
  void (async () => {
    for await (const { permissionContext: context } of connection.status() as AsyncIterable<Refusable>)
      if (context) refused.add(context.subject)
  })()
  work()
  // What the server says to the first, it says before its answer; what is read of it meanwhile is told by the second.
  await connection.flush()
  await connection.flush()
  return refused
}

interface Refusable {
  readonly permissionContext?: { readonly operation: string; readonly subject: string }
}

/** Those of the subjects that the server lets a user publish to. Nothing comes of what is sent: none of it can be read. */
const mayPublish = (user: string): Promise<string[]> =>
  as(user, async (connection) => {
    const ordered = all.toSorted((a, b) => Number(destructive.test(a)) - Number(destructive.test(b)))
    const refused = await refusedDuring(connection, () => {
      for (const subject of ordered) connection.publish(subject, '{"seq":999999999')
    })
    return all.filter((subject) => !refused.has(subject))
  })

const maySubscribe = (user: string, subjects: readonly string[]): Promise<string[]> =>
  as(user, async (connection) => {
    const refused = await refusedDuring(connection, () => {
      for (const subject of subjects) connection.subscribe(subject)
    })
    return subjects.filter((subject) => !refused.has(subject))
  })

const writers = ['student.to_modify', 'student.modified']
const pulls = (stream: string, consumer: string): string[] => [
  `$JS.ACK.${stream}.${consumer}.1.1.1.1.1`,
  `$JS.API.CONSUMER.INFO.${stream}.${consumer}`,
  `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
]
const buries = (stream: string, consumer: string): string[] => [
  `dead_letter.${consumer}`,
  `$JS.API.CONSUMER.INFO.Advisories.${consumer}-advisories`,
  `$JS.API.CONSUMER.MSG.NEXT.Advisories.${consumer}-advisories`,
  `$JS.API.STREAM.MSG.GET.${stream}`,
  `$JS.API.STREAM.MSG.DELETE.${stream}`,
]

/** Written down here once more, by what each of them is for. */
const expected: Readonly<Record<string, readonly string[]>> = {
  'students-create': writers,
  'students-update': writers,
  'students-delete': writers,
  'students-fan-out': [
    ...writers,
    'dead_letter.students-fan-out',
    ...pulls('StudentToModify', 'students-fan-out'),
  ],
  'students-enrol': [...writers, 'dead_letter.students-enrol', ...pulls('CourseModified', 'students-enrol')],
  'students-sweep': [
    ...[...writers, '$JS.API.INFO'],
    ...buries('CourseModified', 'students-enrol'),
    ...buries('StudentToModify', 'students-fan-out'),
  ],
}
/** The same of the other side. */
const mirrored = (subjects: readonly string[]): string[] =>
  subjects.map((one) => one.replace(/student|course/gi, (word) => swapped[word] ?? word))
const swapped: Readonly<Record<string, string>> = {
  student: 'course',
  course: 'student',
  Student: 'Course',
  Course: 'Student',
}

describe('a user of NATS', () => {
  it('is each function that has something to say or to hear, and nobody else', async () => {
    const students = Object.keys(expected)
    expect(users).toEqual([...mirrored(students), ...students].sort())
    await expect(as('students-get', async () => {})).rejects.toThrow(/Authorization Violation/)
    await expect(as('students-create', async () => {}, passwordOf(key, 'students-update'))).rejects.toThrow(
      /Authorization Violation/,
    )
  })

  it.each(users)('%s may say just what its work needs', async (user) => {
    const own = user.startsWith('students-')
      ? (expected[user] ?? [])
      : mirrored(expected[mirrored([user])[0] ?? ''] ?? [])
    expect((await mayPublish(user)).sort()).toEqual([...own].sort())
  })

  it.each(users)('%s hears nothing but answers to itself', async (user) => {
    const other = user === 'students-enrol' ? 'courses-enrol' : 'students-enrol'
    const subjects = [
      ...[
        `_INBOX.${user}.x.y`,
        `_INBOX.${user}`,
        `_INBOX.${other}.x`,
        '_INBOX.>',
        '>',
        '$JS.EVENT.>',
        '$JS.API.>',
      ],
      ...['student.modified', 'student.to_modify', 'course.modified', 'course.to_modify', 'dead_letter.>'],
    ]
    expect(await maySubscribe(user, subjects)).toEqual([`_INBOX.${user}.x.y`])
  })
})
