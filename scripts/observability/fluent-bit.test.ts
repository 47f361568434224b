import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { queries, read } from './files.ts'
import { parsers } from './fluent-bit.ts'

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
