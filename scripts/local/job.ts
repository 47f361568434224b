import { spawn } from 'node:child_process'
import type { FunctionName } from '../../shared/spec/names.ts'
import type { Surroundings } from './function-process.ts'
import { Refusal } from './refusal.ts'

const timeout = 60_000

/** Runs a job to its end, which has to be a good one. */
export async function runJob(name: FunctionName, around: Surroundings, signal: AbortSignal): Promise<void> {
  const { command, args } = around.launcher.launch(name)
  const child = spawn(command, [...args], {
    cwd: around.root,
    detached: true,
    env: around.env(name),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  around.guardian.watch(child)
  let told = ''
  let said = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    told = (told + chunk).slice(-10_000)
  })
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    said = (said + chunk).slice(-10_000)
  })
  const kill = (): void => void child.kill('SIGKILL')
  const timer = setTimeout(() => {
    said = `it did not end within ${timeout / 1000} s`
    kill()
  }, timeout)
  signal.addEventListener('abort', kill)
  const status = await new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, killed) => resolve(killed ?? code ?? 1))
  })
  clearTimeout(timer)
  signal.removeEventListener('abort', kill)
  signal.throwIfAborted()
  if (status !== 0)
    throw new Refusal(
      `${name.full} failed (${status}): ${lastLine(said) ?? lastError(told) ?? 'it did not say why'}`,
    )
}

function lastLine(said: string): string | undefined {
  const lines = said
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  // Of a stack, the line that names the error.
  const line = lines.findLast((one) => /error/i.test(one) && !one.startsWith('at ')) ?? lines.at(-1)
  return line?.slice(0, 500)
}

/** Of the log, what its last error says. */
function lastError(told: string): string | undefined {
  for (const line of told.split('\n').reverse()) {
    if (!line.startsWith('{')) continue
    try {
      const { level, error, message }: LogLine = JSON.parse(line)
      if (level === 'error') return String([error ?? message].flat().join('; ')).slice(0, 500)
    } catch {
      // Cut off.
    }
  }
  return undefined
}

interface LogLine {
  readonly level?: string
  readonly error?: unknown
  readonly message?: string
}
