import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { kill, until } from './testing/fixture.ts'
import { json, problemOf, useGateway } from './testing/gateway.ts'

vi.setConfig({ testTimeout: 180_000 })

const on = useGateway()

describe('activation', () => {
  const settled = (): Promise<void> =>
    until('all functions are idle', async () => !(await live('students/get')))
  const live = async (name: string): Promise<boolean> =>
    on.gateway.tree.events(`${name} start`).length >
    on.gateway.tree.events(`${name} end`).length + killed(name)
  const killed = (name: string): number =>
    on.gateway.run.stdout.split('\n').filter((line) => line.includes('"died"') && line.includes(name)).length

  test('concurrent first requests share one start, and idleness ends it', async () => {
    await settled()
    const before = on.gateway.tree.events('students/get start').length
    // None is answered before all are there, so that none comes only when the others' process is gone again.
    const headers = { 'x-together': '20' }
    const pids = await Promise.all(
      Array.from({ length: 20 }, async () => (await on.gateway.echo('/api/students/1', { headers })).pid),
    )
    expect(new Set(pids).size).toBe(1)
    expect(on.gateway.tree.events('students/get start')).toHaveLength(before + 1)
    await settled()
  })

  test('a process has as many requests at a time as its function declares, and who waits too long is 503', async () => {
    await on.gateway.echo('/api/students/1')
    const gate = on.gateway.tree.hold('many')
    const headers = { 'x-hold': 'many' }
    const held = Array.from({ length: 100 }, () => on.gateway.run.fetch('/api/students/1?held', { headers }))
    const settled: Response[] = []
    for (const one of held) void one.then((response) => settled.push(response))
    await until('all are there', () => on.gateway.tree.events('?held').length === 100)
    const refused = await on.gateway.run.fetch('/api/students/1?held')
    expect(settled).toEqual([])
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(await problemOf(refused)).toEqual([503, 'unavailable'])
    expect(on.gateway.tree.events('?held')).toHaveLength(100)
    gate.letGo()
    expect(new Set((await Promise.all(held)).map(({ status }) => status))).toEqual(new Set([200]))
    expect((await on.gateway.run.fetch('/api/students/1')).status).toBe(200)
  })

  test('no request is lost where a stop meets a request', async () => {
    for (let round = 0; round < 6; round++) {
      await on.gateway.echo('/api/students/1')
      await sleep(1470 + round * 10)
    }
  })

  test('a request that takes longer than idleness is not cut off', async () => {
    const { pid, stopping } = await on.gateway.echo('/api/students/1', { headers: { 'x-sleep': '3000' } })
    expect(stopping).toBe(false)
    const at = (event: string): number =>
      Number(
        on.gateway.tree
          .events(`students/get ${event}`)
          .findLast((line) => line.endsWith(` ${pid}`))
          ?.split(' ')
          .at(-2) ?? Number.NaN,
      )
    await until('it is asked to end', () => at('term') > 0)
    // Idleness begins with the answer; timers may be early by a millisecond.
    expect(at('term') - at('answered')).toBeGreaterThanOrEqual(1499)
  })

  test('a process that dies under a GET is replaced, unseen', async () => {
    const headers = { 'x-kill': 'once', 'x-nonce': `${Math.random()}` }
    expect((await on.gateway.echo('/api/students/1', { headers })).name).toBe('students/get')
  })

  test('processes that are killed while they start are replaced, unseen', async () => {
    await until(
      'it is idle',
      () => on.gateway.tree.events('health end').length === on.gateway.tree.events('health start').length,
    )
    const starts = on.gateway.tree.events('health start').length
    const gate = on.gateway.tree.hold('students-health')
    const answer = on.gateway.echo('/api/students/health')
    const killed: number[] = []
    // As a rollout on a slow machine ends one after another.
    while (killed.length < 3) {
      await until('it starts', () => on.gateway.tree.events('health start').length > starts + killed.length)
      const pid = Number(on.gateway.tree.events('health start').at(-1)?.split(' ').at(-1))
      process.kill(pid, killed.length === 0 ? 'SIGKILL' : 'SIGTERM')
      await until('it is gone', () => !on.gateway.run.processes.includes(pid))
      killed.push(pid)
    }
    gate.letGo()
    expect(killed).not.toContain((await answer).pid)
  })

  test('a process that ends is told that nothing more is sent to it, once what was sent has its answer', async () => {
    const { pid } = await on.gateway.echo('/api/students/1')
    const before = on.gateway.tree.events('students/get left alone').length
    const sleeping = on.gateway.echo('/api/students/1', { headers: { 'x-sleep': '1500' } })
    await sleep(200)
    process.kill(pid, 'SIGTERM')
    await sleep(400)
    expect(on.gateway.tree.events('students/get left alone').length).toBe(before)
    expect((await sleeping).pid).toBe(pid)
    await until(
      'it is left alone',
      () => on.gateway.tree.events('students/get left alone').length === before + 1,
    )
  })

  test('a process that dies halfway through its answer is a clean problem, twice for a GET', async () => {
    const response = await on.gateway.run.fetch('/api/students/1', { headers: { 'x-kill': 'halfway' } })
    expect(await problemOf(response)).toEqual([502, 'bad_gateway'])
  })

  test('a process that dies under a POST is 502, once', async () => {
    const headers = { 'x-kill': 'once', 'x-nonce': `${Math.random()}`, ...json }
    expect(
      await problemOf(await on.gateway.run.fetch('/api/students', { method: 'POST', headers, body: '{}' })),
    ).toEqual([502, 'bad_gateway'])
    expect(await on.gateway.echo('/api/students', { method: 'POST', headers, body: '{}' })).toMatchObject({
      name: 'students/write',
    })
  })

  test('a write right after its process was killed succeeds', async () => {
    for (let round = 0; round < 5; round++) {
      const { pid } = await on.gateway.echo('/api/students', { method: 'POST', body: '' })
      kill(pid)
      await until('it is gone', () => !on.gateway.run.processes.includes(pid))
      expect((await on.gateway.echo('/api/students', { method: 'POST', body: '' })).pid).not.toBe(pid)
    }
  })

  test('a function that hangs is 504, is killed, and serves again', async () => {
    const response = await on.gateway.run.fetch('/api/students/brief', { headers: { 'x-block': '1' } })
    expect(await problemOf(response)).toEqual([504, 'deadline_exceeded'])
    await until(
      'it serves again',
      async () => (await on.gateway.run.fetch('/api/students/brief')).status === 200,
    )
  })

  test('metrics of all processes are one, and none is lost when they stop', async () => {
    const count = async (): Promise<number> => {
      const text = await (await fetch(`${on.gateway.run.url}/metrics`)).text()
      return Number(/^fake_requests_total\{function="platform\/docs"\} (\d+)$/m.exec(text)?.[1] ?? 0)
    }
    const stopped = (): Promise<void> =>
      until(
        'docs has stopped',
        () =>
          on.gateway.tree.events('platform/docs end').length ===
          on.gateway.tree.events('platform/docs start').length,
      )
    await stopped()
    const before = await count()
    for (let i = 0; i < 3; i++) await fetch(`${on.gateway.run.url}/api/docs`)
    // A process that is too busy to answer is seen as it was the last time.
    await until('they are counted', async () => (await count()) === before + 3)
    await stopped()
    expect(await count()).toBe(before + 3)
    await fetch(`${on.gateway.run.url}/api/docs`)
    await until('it is counted', async () => (await count()) === before + 4)
  })
})

describe('lookups', () => {
  const ask = async (path: string): Promise<string> => {
    const { env } = await on.gateway.echo('/api/students/1')
    const port = Number(new URL(env['STUDENTS_BY_COURSE_URL'] ?? '').port)
    return on.gateway.raw(
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}`,
      port,
    )
  }

  test('are started by a connection and stopped when no byte moves', async () => {
    expect(await ask('/s/m')).toContain('students/by-course')
    await until(
      'it is idle',
      () =>
        on.gateway.tree.events('students/by-course end').length ===
        on.gateway.tree.events('students/by-course start').length,
    )
    expect(await ask('/s/m')).toContain('students/by-course')
  })

  test('a kept HTTP/1.1 connection outlives its process between requests', async () => {
    const { env } = await on.gateway.echo('/api/students/1')
    const socket = connect(Number(new URL(env['STUDENTS_BY_COURSE_URL'] ?? '').port), '127.0.0.1')
    let said = ''
    socket.setEncoding('latin1').on('data', (chunk) => {
      said += chunk
    })
    const request = 'POST /s/m HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}'
    const answers = (): number => said.split('HTTP/1.1 200').length - 1
    socket.write(request)
    await until('it answers', () => answers() === 1)
    await until(
      'it is idle',
      () =>
        on.gateway.tree.events('students/by-course end').length ===
        on.gateway.tree.events('students/by-course start').length,
    )
    expect(socket.closed).toBe(false)
    socket.write(request)
    await until('it answers again', () => answers() === 2)
    socket.destroy()
  })
})
