import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'nats'
import postgres from 'postgres'
import { describe, expect, test, vi } from 'vitest'
import { natsAddress } from '../../shared/adapters/nats-address.ts'
import { kill, Started, Tree, until, urlsOf } from './testing/fixture.ts'

vi.setConfig({ testTimeout: 240_000 })

describe('what dies is started again', () => {
  test('engines, with port, password and data', async () => {
    using tree = new Tree()
    await using run = await new Started(tree).ready()
    const urls = urlsOf(tree)
    const sql = postgres(urls['STUDENTS_URL'] ?? '', { max: 1 })
    await sql`create table kept (n int)`
    await sql`insert into kept values (1)`
    await sql.end()
    for (const name of ['Postgres', 'Redis', 'NATS']) {
      const { pid } = JSON.parse(readFileSync(join(tree.dataDir, 'engines.json'), 'utf8'))[name]
      process.kill(pid, 'SIGKILL')
      await until(`${name} is back`, () => run.stdout.includes(`"engine restarted","engine":"${name}"`))
    }
    expect(urlsOf(tree)).toEqual(urls)
    const again = postgres(urls['STUDENTS_URL'] ?? '', { max: 1 })
    expect(await again`select n from kept`).toEqual([{ n: 1 }])
    await again.end()
  })

  test('a worker that dies while messages wait, and what it had comes again', async () => {
    using tree = new Tree()
    await using run = await new Started(tree, { env: { IDLE_SECONDS: '1' } }).ready()
    const connection = await connect(natsAddress(urlsOf(tree)['EVENTS_URL'] ?? ''))
    expect(tree.events('students/enrol start')).toEqual([])
    await connection.jetstream().publish('changes.students', 'one')
    await until('it is handled', () => tree.events('message one').length >= 1)
    await connection.jetstream().publish('changes.students', 'die')
    await until('it is handled again', () => tree.events('message die').length >= 2)
    await until(
      'it is idle',
      () => !run.processes.some((pid) => readEnvironment(pid).includes('FUNCTION=students/enrol')),
    )
    await connection.jetstream().publish('changes.students', 'three')
    await until('another handles it', () => tree.events('message three').length >= 1)
    await connection.close()
  })

  test('the sweepers run a while after a death', async () => {
    using tree = new Tree()
    await using run = await new Started(tree).ready()
    const { pid } = (await (await run.fetch('/api/students/1')).json()) as { pid: number }
    const sweeps = (): number => tree.events('students/sweep start').length
    await until('it has swept', () => sweeps() === 1)
    kill(pid)
    await until('it sweeps again', () => sweeps() === 2)
  })

  test('a function that cannot start is 503', async () => {
    using tree = new Tree()
    await using run = await new Started(tree, { env: { NODE_TEST_FAIL_START: 'students/get' } }).ready()
    const response = await run.fetch('/api/students/1')
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await response.json()).toMatchObject({ code: 'unavailable' })
    await until('it is told why', () => run.stderr.includes('this function cannot start'))
  })
})

function readEnvironment(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    return ''
  }
}
