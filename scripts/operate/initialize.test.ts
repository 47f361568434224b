import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { NatsClient } from '../../shared/adapters/nats-client.ts'
import { deadLetter } from '../../shared/messages/streams.ts'
import { openPlatform } from '../../shared/testing/http-conformance/platform.ts'
import { command } from './testing/system.ts'

const root = join(import.meta.dirname, '../..')

it('ends as the initializer does, on the servers of the environment', async () => {
  await using platform = await openPlatform()
  const { STUDENTS_URL, COURSES_URL, EVENTS_URL = '' } = platform.variables
  const run = (...args: string[]) =>
    command(root, { STUDENTS_URL, COURSES_URL, EVENTS_URL }, ['initialize', ...args])
  await using client = new NatsClient({ url: EVENTS_URL, name: 'test' })
  const manager = await (await client.jetstream()).jetstreamManager()
  expect(await run('--check')).toMatchObject({ code: 0, out: 'in place: nothing differs\n', err: '' })

  await manager.consumers.delete('CourseModified', 'students-enrol')
  const plan = 'plan: consumer students-enrol: create\n'
  for (const _ of [1, 2])
    expect(await run('--check')).toMatchObject({ code: 2, out: `${plan}1 differences\n` })
  expect(await run()).toMatchObject({ code: 0, out: plan })
  expect((await run('--check')).code).toBe(0)

  const { config } = await manager.streams.info(deadLetter.stream)
  await manager.streams.update(deadLetter.stream, { ...config, max_age: 2 * config.max_age })
  const refused = await run()
  expect([refused.code, refused.out]).toEqual([3, expect.stringMatching(/\(may lose data\)\n$/)])
  expect((await run('--force')).code).toBe(0)
  expect((await run('--check')).code).toBe(0)

  const mistaken = await run('--chek')
  expect([mistaken.code, mistaken.err]).toEqual([1, expect.stringMatching(/^Unknown option '--chek'/)])
})

it('says in a sentence which server is away', async () => {
  await using platform = await openPlatform()
  const { STUDENTS_URL, COURSES_URL, EVENTS_URL } = platform.variables
  await using hanging = await hang()
  const students = (port: number) => `postgres://u:secret@127.0.0.1:${port}/a`
  const cases: [NodeJS.ProcessEnv, RegExp][] = [
    [{ EVENTS_URL: 'nats://u:secret@127.0.0.1:9' }, /^NATS does not serve \(.*\)\.\n$/],
    [
      { STUDENTS_URL: students(9) },
      /^It failed: the database of the students is not .* \(.*REFUSED.*\)\.\n$/,
    ],
    [
      { STUDENTS_URL: students(hanging.port) },
      /^It failed: the database of the students is not available \(.*TIMEOUT.*\)\.\n$/,
    ],
    [{ COURSES_URL: students(9) }, /^It failed: the database of the courses is not .* \(.*REFUSED.*\)\.\n$/],
    [
      { COURSES_URL: 'mongodb://u:secret@127.0.0.1:9/a' },
      /^It failed: the database of the courses is not available \(.*\)\.\n$/,
    ],
  ]
  for (const [away, sentence] of cases) {
    const env = { STUDENTS_URL, COURSES_URL, EVENTS_URL, ...away }
    const { code, out, err } = await command(root, env, ['initialize', '--check'])
    expect([code, out, err]).toEqual([1, '', expect.stringMatching(sentence)])
    expect(err).not.toContain('secret')
  }
})

/** A server that takes connections and says nothing. */
async function hang(): Promise<{ readonly port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {})))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
