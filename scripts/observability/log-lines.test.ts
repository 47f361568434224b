import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { read } from './files.ts'
import { type Line, labels, parsed } from './fluent-bit.ts'
import { missing } from './scraped.ts'

const without = missing('luajit')
if (without && process.env['CI']) throw new Error(without)
if (without) process.stderr.write(`SKIPPED: labels in scripts/observability/log-lines.test.ts: ${without}\n`)

const root = join(import.meta.dirname, '../..')

describe('lines of real functions', () => {
  /** As the parser leaves them, by the function that wrote them. */
  const lines: { readonly slug: string; readonly record: Line }[] = []
  const away = 'nobody:nothing@127.0.0.1:1'

  beforeAll(async () => {
    const env = {
      STUDENTS_URL: `postgres://${away}/x`,
      CACHE_URL: `redis://${away}`,
      EVENTS_URL: `nats://${away}`,
      COURSES_BY_STUDENT_URL: 'http://127.0.0.1:1',
    }
    const said = await Promise.all([
      // Well, and asked for what it does not have.
      output('platform/docs', {}, ['/api/docs', '/api/nothing']),
      // Its database is away: an error with its causes.
      output('students/get', env, ['/api/students/01a20c7b-b3ab-723b-9f2c-934f944833dd']),
      // What it pulls from is away: warnings that are of no invocation.
      output('students/enrol', env, []),
      // Not configured: a sentence, and no JSON.
      output('students/list', {}, []),
    ])
    for (const [slug, text] of said)
      for (const line of text.split('\n').filter((one) => one !== ''))
        lines.push({ slug, record: parsed(line) })
  }, 180_000)

  it('are JSON with their time, or a crash that stays as it is', () => {
    expect(lines.length).toBeGreaterThan(5)
    const raw = lines.filter(({ record }) => 'log' in record)
    expect(new Set(raw.map(({ slug }) => slug))).toEqual(new Set(['students-list']))
    for (const { record } of lines)
      if (!('log' in record)) expect(record['level']).toMatch(/^(info|warn|error)$/)
  })

  it('have the keys that people search for', () => {
    const invocations = lines.filter(({ record }) => 'outcome' in record).map(({ record }) => record)
    expect(new Set(invocations.map(({ outcome }) => outcome))).toEqual(
      new Set(['ok', 'not_found', 'unavailable']),
    )
    for (const line of invocations) {
      expect(line).toMatchObject({
        function: expect.stringMatching(/^[a-z]+\/[a-z-]+$/),
        method: 'GET',
        trigger: 'http',
        duration_ms: expect.any(Number),
        trace_id: expect.stringMatching(/^[\da-f]{32}$/),
      })
    }
    // By which Grafana finds the trace in a line.
    const {
      datasources,
    }: { datasources: { uid: string; jsonData: { derivedFields?: { matcherRegex: string }[] } }[] } = parse(
      read('grafana/datasources.yml'),
    )
    const regex =
      datasources.find(({ uid }) => uid === 'loki')?.jsonData.derivedFields?.[0]?.matcherRegex ?? ''
    expect(new RegExp(regex).exec(JSON.stringify(invocations[0]))?.[1]).toBe(invocations[0]?.['trace_id'])
  })

  it.skipIf(without)('all get the labels of their function and level, on a cluster and beside Docker', () => {
    const nameOf = (slug: string): string => slug.replace('-', '/')
    for (const beside of [
      (slug: string) => ({ kubernetes: { labels: { 'app.kubernetes.io/name': slug } } }),
      (slug: string) => ({ 'com.docker.compose.service': slug }),
    ]) {
      const labelled = labels(lines.map(({ slug, record }) => ({ ...record, ...beside(slug) })))
      expect(labelled.map(({ function: name }) => name)).toEqual(lines.map(({ slug }) => nameOf(slug)))
      expect(labelled.map(({ level }) => level)).toEqual(
        lines.map(({ record }) => record['level'] ?? 'unknown'),
      )
    }
    expect(labels([{ log: 'of something else' }])).toEqual([{ function: 'none', level: 'unknown' }])
  })
})

/** What a function's process writes while it is asked for paths, and stopped. */
async function output(
  name: string,
  env: Readonly<Record<string, string>>,
  paths: readonly string[],
): Promise<[slug: string, text: string]> {
  const child = spawn(process.execPath, ['shared/hosts/main.ts', name], {
    cwd: root,
    env: { PATH: process.env['PATH'], HOST: '127.0.0.1', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  const closed = new Promise((resolve) => child.once('close', resolve))
  const port = await new Promise<number>((resolve) => {
    child.on('message', (message: { type: string; port: number }) => {
      if (message.type === 'ready') resolve(message.port)
    })
    child.once('close', () => resolve(0))
  })
  if (port > 0) {
    for (const path of paths)
      await fetch(`http://127.0.0.1:${port}${path}`).then((response) => response.text())
    if (paths.length === 0) await sleep(1500)
    child.kill('SIGTERM')
  }
  await closed
  return [name.replace('/', '-'), text]
}
