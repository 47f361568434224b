import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { onPath } from '../engines/find.ts'
import { folder, queries, read } from './files.ts'
import { missing } from './scraped.ts'

/*
 * There is neither a package of Debian's nor one of npm's that carries Fluent Bit. So its configuration is read strictly
 * here, and what it says is applied to lines that real functions have just written; the script in it runs on LuaJIT,
 * which is what Fluent Bit runs it on.
 */

const without = missing('luajit')
if (without && process.env['CI']) throw new Error(without)
if (without) process.stderr.write(`SKIPPED: labels in scripts/observability/fluent-bit.test.ts: ${without}\n`)

const root = join(import.meta.dirname, '../..')

interface Plugin {
  readonly name: string
  readonly match?: string
  readonly [key: string]: string | number | undefined
}

interface Pipeline {
  readonly service: Readonly<Record<string, string | number>>
  readonly pipeline: { readonly inputs: Plugin[]; readonly filters: Plugin[]; readonly outputs: Plugin[] }
}

/** What the manual of Fluent Bit 4 knows of the plugins that are used. */
const known: Readonly<Record<string, readonly string[]>> = {
  service: ['flush', 'log_level', 'parsers_file', 'http_server', 'http_listen', 'http_port'],
  tail: ['path', 'exclude_path', 'tag', 'multiline.parser', 'db', 'skip_long_lines', 'mem_buf_limit'],
  forward: ['listen', 'port'],
  kubernetes: ['match', 'labels', 'annotations', 'merge_log', 'keep_log'],
  parser: ['match', 'key_name', 'parser', 'reserve_data'],
  lua: ['match', 'script', 'call'],
  loki: ['match', 'host', 'port', 'labels', 'remove_keys', 'line_format'],
  parsers: ['format', 'time_key', 'time_format', 'time_keep'],
}

const files = ['fluent-bit.yaml', 'compose.yaml']
const configurationOf = (file: string): Pipeline => parse(read(`fluent-bit/${file}`))
const { parsers }: { parsers: Plugin[] } = parse(read('fluent-bit/parsers.yaml'))

describe.each(files)('%s', (file) => {
  const { service, pipeline, ...rest } = configurationOf(file)
  const { inputs, filters, outputs, ...more } = pipeline

  it('has nothing that Fluent Bit does not know', () => {
    expect([rest, more]).toEqual([{}, {}])
    for (const key of Object.keys(service)) expect(known['service']).toContain(key)
    for (const { name, ...options } of [...inputs, ...filters, ...outputs])
      for (const key of Object.keys(options)) expect(known[name], `${name}: ${key}`).toContain(key)
  })

  it('parses lines, then labels them, then sends them to Loki', () => {
    const steps = filters.filter(({ name }) => name !== 'kubernetes').map(({ name }) => name)
    expect([...steps, ...outputs.map(({ name }) => name)]).toEqual(['parser', 'lua', 'loki'])
    const [parser] = filters.filter(({ name }) => name === 'parser')
    expect(parser).toMatchObject({ key_name: 'log', parser: parsers[0]?.name, reserve_data: 'on' })
    expect(service['parsers_file']).toBe('parsers.yaml')
  })

  it('gives Loki labels of few values, by which the dashboards ask', () => {
    const labels = String(outputs[0]?.['labels'])
      .split(', ')
      .map((one) => one.split('='))
    expect(labels).toEqual([
      ['job', 'registrar'],
      ['function', '$function'],
      ['level', '$level'],
    ])
    const asked = queries().filter(({ datasource }) => datasource === 'loki')
    expect(asked.length).toBeGreaterThan(3)
    for (const { expr } of asked)
      expect(expr).toMatch(/^\{function=~"[^"]+"(, level=~"(warn|error|unknown|\|)+")?\} \|= "\$trace_id"$/)
  })
})

it('the parser is one', () => {
  expect(parsers).toHaveLength(1)
  const [parser] = parsers
  expect(parser).toMatchObject({ name: 'registrar', format: 'json' })
  for (const key of Object.keys(parser ?? {})) expect(['name', ...(known['parsers'] ?? [])]).toContain(key)
})

interface Line {
  readonly [key: string]: unknown
}

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
  }, 60_000)

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

/** As the filter `parser` does it with the parser `registrar`, `reserve_data` and what it cannot parse left as it is. */
function parsed(line: string): Line {
  const [parser] = parsers
  try {
    const record: Line = JSON.parse(line)
    const time = timeOf(String(record[String(parser?.['time_key'])]), String(parser?.['time_format']))
    expect(time, line).toBe(Date.parse(String(record['ts'])))
    return record
  } catch (error) {
    if (error instanceof SyntaxError) return { log: line }
    throw error
  }
}

/** Strict strptime() in UTC, with Fluent Bit's %L for the fraction of a second. */
function timeOf(text: string, format: string): number {
  const digits: Readonly<Record<string, string>> = {
    Y: '\\d{4}',
    m: '\\d{2}',
    d: '\\d{2}',
    H: '\\d{2}',
    M: '\\d{2}',
    S: '\\d{2}',
    L: '\\d{1,9}',
  }
  const pattern = format
    .replaceAll(/[.]/g, '[.]')
    .replaceAll(/%([A-Za-z])/g, (_, key: string) => `(?<${key}>${digits[key] ?? 'unknown'})`)
  const found = new RegExp(`^${pattern}$`).exec(text)?.groups
  if (!found) throw new Error(`${text} is not of the format ${format}`)
  const of = (key: string): number => Number(found[key])
  const whole = Date.UTC(of('Y'), of('m') - 1, of('d'), of('H'), of('M'), of('S'))
  return whole + Math.round(Number(`0.${found['L']}`) * 1000)
}

/** What labels.lua makes of records. */
function labels(records: readonly Line[]): { function: string; level: string }[] {
  const driver = `
    dofile(${JSON.stringify(join(folder, 'fluent-bit/labels.lua'))})
    for _, record in ipairs({ ${records.map(literal).join(', ')} }) do
      local code, _, labelled = labels("kube.var.log", 0, record)
      assert(code == 2 and labelled.kubernetes == nil)
      print(labelled["function"] .. " " .. labelled.level)
    end`
  const { stdout, stderr, status } = spawnSync(onPath('luajit') ?? 'luajit', ['-e', driver], {
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(0)
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', level = ''] = line.split(' ')
      return { function: name, level }
    })
}

/** A value as Lua writes it. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `{ ${value.map(literal).join(', ')} }`
  if (typeof value === 'object' && value !== null)
    return `{ ${Object.entries(value)
      .map(([key, one]) => `[${JSON.stringify(key)}] = ${literal(one)}`)
      .join(', ')} }`
  return JSON.stringify(value)
}
