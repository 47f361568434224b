import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { freePort } from '../../scripts/engines/engine.ts'

/** The source of a function that answers by a handler; both are text. */
const serving = (handler: string, { needs = '[]', wires = '{}' } = {}): string => `
  import { serveHttp } from '${import.meta.dirname}/http.ts'
  const operation = { method: 'GET', path: '/', summary: '', success: { status: 200, description: '' }, failures: [] }
  await serveHttp({
    name: 'some/function',
    declaration: { summary: '', trigger: { kind: 'http', operations: { serve: operation } }, needs: ${needs} },
    handler: () => ({ serve: ${handler} }),
    wires: ${wires},
  })`

const served = "async () => ({ body: 'served' })"

/** As its runner does it. */
const run = (source: string, port = 0) =>
  spawn(process.execPath, ['--input-type=module', '-e', source], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: `${port}` },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })

/** Breaks its process while it serves, as a driver's timer may. */
const broken = serving(`async () => {
  setImmediate(() => { throw new Error('out of nowhere') })
  await new Promise((resolve) => setTimeout(resolve, 200))
  return { body: 'served' }
}`)

it('what nobody foresaw is told in one line of the log, ends what is under way, and then the process', async () => {
  const child = run(broken)
  try {
    if (!child.stdout || !child.stderr) throw new Error('it has no output')
    const [said, complained] = [text(child.stdout), text(child.stderr)]
    const exit = once(child, 'exit')
    const [{ port }] = await once(child, 'message')
    const response = await fetch(`http://127.0.0.1:${port}/`)
    expect([response.status, await response.text()]).toEqual([200, 'served'])
    // Of a connection that its caller would keep it does not wait.
    expect(response.headers.get('connection')).toBe('close')
    expect(await exit).toEqual([1, null])
    expect(await complained).toBe('')
    const lines: { level: string; error?: string[] }[] = (await said)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.filter(({ level }) => level === 'error')).toMatchObject([
      { error: [expect.stringContaining('out of nowhere')] },
    ])
  } finally {
    child.kill('SIGKILL')
  }
})

it('what ends serves until its runner has heard of it, and then ends', async () => {
  const child = run(serving(served))
  try {
    const exit = once(child, 'exit')
    const [{ port }] = await once(child, 'message')
    const heard = once(child, 'message')
    child.kill('SIGTERM')
    expect(await heard).toEqual([{ type: 'stopping' }, undefined])
    // Longer than it parts from who is known to send nothing.
    await sleep(500)
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('served')
    child.send({ type: 'left alone' })
    expect(await exit).toEqual([0, null])
  } finally {
    child.kill('SIGKILL')
  }
})

/** One whose wiring takes until it is let go. */
const slowlyWired = serving(served, {
  needs: "['slow']",
  wires:
    "{ slow: () => new Promise((resolve) => process.on('message', ({ type }) => type === 'go' && resolve())) }",
})

it('what is asked to end before it is ready serves who has come, is never ready, and ends', async () => {
  const port = await freePort()
  const child = run(slowlyWired, port)
  const messages: unknown[] = []
  child.on('message', (message: { type: string }) => messages.push(message.type))
  try {
    const ended = Promise.all([once(child, 'exit'), once(child, 'disconnect')])
    const probe = () => fetch(`http://127.0.0.1:${port}/_/ready`).then(({ status }) => status)
    await expect.poll(() => probe().catch(() => 0)).toBe(200)
    const answer = fetch(`http://127.0.0.1:${port}/`)
    // What is asked after it on a connection of its own has been read after it.
    await fetch(`http://127.0.0.1:${port}/_/health`)
    child.kill('SIGTERM')
    await expect.poll(() => messages).toContain('stopping')
    child.send({ type: 'go' })
    child.send({ type: 'left alone' })
    expect(await (await answer).text()).toBe('served')
    expect(await ended).toEqual([[0, null], []])
    expect(messages).toEqual(['stopping', 'metrics'])
  } finally {
    child.kill('SIGKILL')
  }
})

const main = join(import.meta.dirname, 'main.ts')

it.each([
  [
    'students/enrol',
    ['PORT', 'MAX_ACK_PENDING', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT'],
    ['STUDENTS_URL', 'CACHE_URL', 'EVENTS_URL'],
  ],
  ['students/get', ['PORT', 'OTEL_EXPORTER_OTLP_ENDPOINT'], ['STUDENTS_URL', 'CACHE_URL']],
  ['courses/by-student', ['PORT'], ['COURSES_URL', 'CACHE_URL']],
  ['courses/sweep', ['OTEL_EXPORTER_OTLP_ENDPOINT'], ['COURSES_URL', 'CACHE_URL', 'EVENTS_URL']],
  [
    'platform/initialize',
    ['MAX_ACK_PENDING', 'STREAM_REPLICAS', 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT'],
    ['STUDENTS_URL', 'COURSES_URL', 'EVENTS_URL'],
  ],
])(
  '%s ends before it is ready and tells everything that is wrong: its settings, and what it needs',
  async (name, wrong, missing) => {
    const env = {
      PATH: process.env['PATH'],
      ...Object.fromEntries(wrong.map((variable) => [variable, 'no'])),
    }
    const child = spawn(process.execPath, [main, name], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const [code, complained] = await Promise.all([once(child, 'exit'), text(child.stderr)])
    expect(code[0]).toBe(1)
    const told = complained.split('\n').flatMap((line) => /^ {2}([A-Z_]+) is /.exec(line)?.[1] ?? [])
    expect(told.sort()).toEqual([...wrong, ...missing].sort())
  },
)

it('a worker with one wrong setting alone is not ready either', async () => {
  const nowhere = '127.0.0.1:1'
  const env = {
    PATH: process.env['PATH'],
    HOST: '127.0.0.1',
    PORT: '0',
    STUDENTS_URL: `postgres://${nowhere}/x`,
    CACHE_URL: `redis://${nowhere}`,
    EVENTS_URL: `nats://${nowhere}`,
    MAX_ACK_PENDING: '0',
  }
  const child = spawn(process.execPath, [main, 'students/enrol'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    const [code, complained] = await Promise.all([once(child, 'exit'), text(child.stderr)])
    expect(code[0]).toBe(1)
    expect(complained).toMatch(/MAX_ACK_PENDING is not a whole number from 1 to 10000\n$/)
  } finally {
    child.kill('SIGKILL')
  }
})
