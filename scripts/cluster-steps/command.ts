import { spawn } from 'node:child_process'

/** A command that failed, with the end of what it said. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
}

export interface Options {
  /** Goes to its standard input. */
  readonly input?: string
  readonly cwd?: string
}

/** Runs a command to its end. @returns what it wrote to stdout. @throws CommandFailed */
export async function command(
  program: string,
  args: readonly string[],
  options: Options = {},
): Promise<string> {
  const { input, cwd } = options
  const child = spawn(program, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'] })
  const out: Buffer[] = []
  const all: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    out.push(chunk)
    all.push(chunk)
  })
  child.stderr.on('data', (chunk: Buffer) => void all.push(chunk))
  // Whoever needs no input may end before it has read any.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => reject(new CommandFailed(`${program} cannot be run`, { cause })))
    child.once('close', resolve)
  })
  if (code === 0) return Buffer.concat(out).toString()
  const said = Buffer.concat(all).toString().trim().split('\n').slice(-12).join('\n')
  throw new CommandFailed(`${[program, ...args].join(' ')} ended with ${code}:\n${said}`)
}

/** Whether it can be run at all. */
export async function isThere(program: string, ...args: string[]): Promise<boolean> {
  return command(program, args).then(
    () => true,
    (error: unknown) => !(error instanceof CommandFailed && error.cause !== undefined),
  )
}
