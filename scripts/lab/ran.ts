import { spawn } from 'node:child_process'

/** What a command that has ended said. */
export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  /** Goes to its standard input. */
  readonly input?: string
  readonly signal?: AbortSignal | undefined
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** What it says goes to this process' own streams as well, as it comes. */
  readonly shown?: boolean
}

/**
 * Runs a command to its end, whatever that is. In a group of its own: Ctrl-C is for this process, which then decides what ends
 * when. An aborted one is asked to end, with all below it.
 */
export async function ran(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { input, signal, env, cwd, shown } = options
  signal?.throwIfAborted()
  const child = spawn(program, args, {
    cwd,
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const end = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM')
  }
  signal?.addEventListener('abort', end)
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said.out += chunk
    if (shown) process.stdout.write(chunk)
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said.err += chunk
    if (shown) process.stderr.write(chunk)
  })
  // Whoever needs no input may end before it has read any.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    signal?.throwIfAborted()
    return { code, ...said }
  } finally {
    signal?.removeEventListener('abort', end)
  }
}

/** As `ran`, of a command that has to succeed. @returns what it wrote to stdout. @throws Error with the end of what it said */
export async function done(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, out, err } = await ran(program, args, options)
  if (code === 0) return out
  const words = [program.split('/').at(-1), ...args].join(' ')
  throw new Error(`${words} ended with ${code}: ${lastLines(`${out}\n${err}`)}`)
}

const lastLines = (text: string): string => text.trim().split('\n').slice(-12).join('\n')
