import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Scripts } from '../lua.ts'
import { literal } from './lua-literal.ts'

/** LuaJIT, which Kong itself runs on; Debian has it as `luajit`. CI has to have it. */
export const hasLua = spawnSync('luajit', ['-v']).status === 0
if (!hasLua) {
  const said = 'SKIPPED: no luajit here (Debian: luajit), so neither kong/lua is run nor kong.yml played'
  if (process.env['CI']) throw new Error(said)
  console.warn(said)
}

export interface Exchange {
  readonly method: string
  /** As it was sent, and as Kong takes it. */
  readonly rawPath: string
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  /** In Latin-1. */
  readonly body?: string | undefined
  /** Keys that key-auth knows; without it the route is public. */
  readonly keys?: readonly string[] | undefined
  /** Of a route that refuses. */
  readonly refusal?: readonly string[] | undefined
  /** Refused with this status before any plugin ran. */
  readonly refused?: number
  readonly upstream?: { status: number; headers: Readonly<Record<string, string>>; body: string }
}

export interface Exchanged {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** What the function was sent, if it was. */
  readonly upstream?: {
    readonly headers: Readonly<Record<string, string>>
    readonly query: string
    readonly body?: string
  }
}

/** What Kong's serverless plugins run in each phase. */
export interface Phases {
  readonly before: readonly string[]
  readonly after: readonly string[]
  readonly head: readonly string[]
  readonly body: readonly string[]
}

export const phasesOf = ({ before, after }: Scripts): Phases => ({
  before: before['access'] ?? [],
  after: after['access'] ?? [],
  head: before['header_filter'] ?? [],
  body: before['body_filter'] ?? [],
})

export const requestId = 'abcdef0123456789abcdef0123456789'

export const player = join(import.meta.dirname, 'exchange.lua')

/** An exchange as the player takes it. */
export const played = (
  { rawPath, keys, ...one }: Exchange,
  keyNames: readonly string[],
  id: string,
): object => ({
  ...one,
  raw_path: rawPath,
  request_id: id,
  key_names: keyNames,
  ...(keys ? { keys: Object.fromEntries(keys.map((key) => [key, true])) } : {}),
})

/** Runs exchanges through the scripts, in one process of LuaJIT. */
export function exchangeAll(
  phases: Phases,
  keyNames: readonly string[],
  exchanges: readonly Exchange[],
): Exchanged[] {
  const lines = exchanges.map((one, id) => literal({ id, ...played(one, keyNames, requestId) }))
  const output = execFileSync('luajit', [player], {
    input: [literal(phases), ...lines, ''].join('\n'),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  return output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}
