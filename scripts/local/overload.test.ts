import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import studentsGet from '../../functions/students/get/function.ts'
import { scalingOf } from '../../shared/spec/define-function.ts'
import { pause, resume } from '../../shared/testing/pausing.ts'
import { aStudent, type Entity } from './testing/client.ts'
import { key, Started, until } from './testing/fixture.ts'
import { WholeTree } from './testing/whole-tree.ts'

/*
 * More than it can: what is refused is refused as promised, nothing dies of it, and it is over when it is over.
 */

/** Of a function's container, in MiB. */
const memoryLimit = scalingOf(studentsGet).memory

let tree: WholeTree
let run: Started
let student: Entity

beforeAll(async () => {
  tree = new WholeTree()
  run = await new Started(tree).ready()
  student = await aStudent(run)
}, 240_000)

afterAll(async () => {
  await run?.[Symbol.asyncDispose]()
  tree?.[Symbol.dispose]()
}, 180_000)

/** Pids by the names that `ps` shows. */
function pids(): Map<string, number> {
  return new Map(
    run.processes.map((pid) => [readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ''), pid]),
  )
}

async function burst(count: number, ask: (i: number) => Promise<Response>): Promise<number[]> {
  const statuses = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const response = await ask(i)
      await response.arrayBuffer()
      if (response.status === 503) expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
      return response.status
    }),
  )
  return [...new Set(statuses)].sort()
}

const post = (body: unknown): Promise<Response> =>
  run.fetch('/api/students', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

test.each([
  ['reads of one', 'students/get', 200, () => run.fetch(`/api/students/${student.id}`)],
  ['lists', 'students/list', 200, (i: number) => run.fetch(`/api/students?limit=${1 + (i % 200)}`)],
  [
    'writes',
    'students/create',
    201,
    (i: number) => post({ name: `Burst ${i}`, first_name: 'Ada', last_name: 'Lovelace' }),
  ],
])(
  '2,000 %s at once: answered or refused with Retry-After, and the next one is answered',
  async (_, server, good, ask) => {
    await ask(100_000)
    const before = pids()
    const statuses = await burst(2000, ask)
    expect(statuses).toContain(good)
    expect(statuses.filter((status) => status !== good && status !== 503)).toEqual([])
    expect((await ask(100_001)).status).toBe(good)
    // Whoever served it serves on: it did not fall over, and would not have been killed for its memory.
    for (const name of ['registrar', server])
      expect([name, pids().get(name)]).toEqual([name, before.get(name) ?? 'up before'])
    for (const [name, pid] of pids()) {
      const most = name === 'registrar' ? 640 : /^students\//.test(name) ? memoryLimit : undefined
      if (most) expect(mostMemory(pid), name).toBeLessThan(most)
    }
  },
)

/** What a process had at its most, in MiB. */
const mostMemory = (pid: number): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) / 1024

/** What a connection was told until it ended. */
function conversation(): {
  readonly said: () => string
  readonly ended: Promise<void>
  write(bytes: string): void
} {
  const socket = connect(Number(new URL(run.url).port), '127.0.0.1')
  let said = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    said += chunk
  })
  socket.on('error', () => {})
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return { said: () => said, ended, write: (bytes) => void socket.write(bytes) }
}

test('clients that send a byte a second hold up nobody, and are told that it took too long', async () => {
  const slow = Array.from({ length: 200 }, () => conversation())
  const head = `GET /api/students/${student.id} HTTP/1.1\r\nhost: x\r\nx-api-key: ${key}\r\n`
  let sending = true
  const drip = (async () => {
    for (let at = 0; sending; at = (at + 1) % head.length) {
      for (const one of slow) one.write(head.charAt(at))
      await sleep(1000)
    }
  })()
  expect((await run.fetch(`/api/students/${student.id}`)).status).toBe(200)
  await Promise.all(slow.map(({ ended }) => ended))
  sending = false
  await drip
  expect([...new Set(slow.map(({ said }) => said().split('\r\n')[0]))]).toEqual([
    'HTTP/1.1 408 Request Timeout',
  ])
  expect((await run.fetch(`/api/students/${student.id}`)).status).toBe(200)
})

test.each([
  ['10,000 headers', `GET /api/docs HTTP/1.1\r\nhost: x\r\n${'a: b\r\n'.repeat(10_000)}\r\n`],
  ['a URL of a megabyte', `GET /${'a'.repeat(1 << 20)} HTTP/1.1\r\nhost: x\r\n\r\n`],
])('%s: refused', async (_, bytes) => {
  const one = conversation()
  one.write(bytes)
  await one.ended
  expect(one.said()).toMatch(/^HTTP\/1.1 431 /)
})

test('2,000 connections that say nothing hold up nobody', async () => {
  const idle: ReturnType<typeof conversation>[] = []
  while (idle.length < 2000) {
    // Never more at a time than a listen queue holds: what the kernel drops behind it, its silent client takes for open for ever.
    idle.push(...Array.from({ length: 100 }, () => conversation()))
    expect((await run.fetch(`/api/students/${student.id}`)).status).toBe(200)
  }
  await Promise.all(idle.map(({ ended }) => ended))
})

test('a database that does not answer is told by its own functions, in time, and by nobody else', async () => {
  const { pid }: { pid: number } = JSON.parse(readFileSync(`${tree.dataDir}/engines.json`, 'utf8')).Postgres
  await run.fetch(`/api/students/${student.id}`)
  await run.fetch('/api/docs')
  pause(pid)
  try {
    const answered = await Promise.all([
      run.fetch(`/api/students/${student.id}`),
      run.fetch('/api/docs'),
      ...Array.from({ length: 300 }, () => run.fetch('/api/students/health')),
    ])
    const [cached, docs, ...health] = answered.map(({ status }) => status)
    expect([cached, docs]).toEqual([200, 200])
    expect([...new Set(health)]).toEqual([503])
  } finally {
    resume(pid)
  }
  await until('it serves again', async () => (await run.fetch('/api/students/health')).status === 200)
})
