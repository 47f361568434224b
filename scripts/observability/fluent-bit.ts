import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'vitest'
import { parse } from 'yaml'
import { onPath } from '../engines/find.ts'
import { literal } from '../generate/kong/testing/lua-literal.ts'
import { folder, read } from './files.ts'

/*
 * There is neither a package of Debian's nor one of npm's that carries Fluent Bit. So what its configuration says is done here,
 * to lines that real functions have just written; the script in it runs on LuaJIT, which is what Fluent Bit runs it on.
 */

export interface Parser {
  readonly name: string
  readonly [key: string]: string | undefined
}

export interface Line {
  readonly [key: string]: unknown
}

export const { parsers }: { parsers: Parser[] } = parse(read('fluent-bit/parsers.yaml'))

/** As the filter `parser` does it with the parser `registrar`, `reserve_data` and what it cannot parse left as it is. */
export function parsed(line: string): Line {
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
export function labels(records: readonly Line[]): { function: string; level: string }[] {
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
