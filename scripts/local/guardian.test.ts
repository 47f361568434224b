import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Guardian } from './guardian.ts'
import { isAlive, processStat } from './process-table.ts'
import { until } from './testing/fixture.ts'

const sleeper = (env = {}): ReturnType<typeof spawn> => {
  const { PATH = '' } = process.env
  return spawn('sleep', ['600'], { detached: true, stdio: 'ignore', env: { PATH, ...env } })
}

test('stops what is in its care when it is let go, and nothing else', async () => {
  const guardian = new Guardian()
  const [mine, done, other] = [sleeper(), sleeper(), sleeper()]
  try {
    guardian.watch(mine)
    guardian.watch(done)
    done.kill('SIGKILL')
    await until('it is gone', () => done.signalCode !== null)
    await guardian[Symbol.asyncDispose]()
    await until('it is gone', () => !isAlive(mine.pid ?? 0))
    expect(isAlive(other.pid ?? 0)).toBe(true)
  } finally {
    other.kill('SIGKILL')
  }
})

test('stops what ignores the request to', async () => {
  const guardian = new Guardian()
  const stubborn = spawn('sh', ['-c', 'trap "" TERM; echo; while :; do sleep 1; done'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  guardian.watch(stubborn)
  await once(stubborn.stdout, 'data')
  await guardian[Symbol.asyncDispose]()
  await until('it is gone', () => !isAlive(stubborn.pid ?? 0))
})

test('finds by its mark what it was never told of', async () => {
  const guardian = new Guardian()
  const unknown = sleeper(guardian.mark)
  await until('it runs', () => processStat(unknown.pid ?? 0)?.state === 'S')
  await guardian[Symbol.asyncDispose]()
  await until('it is gone', () => !isAlive(unknown.pid ?? 0))
})

test('spares a process that only has the number of one it knew', async () => {
  const guardian = new Guardian()
  const other = sleeper()
  const dir = mkdtempSync(join(tmpdir(), 'guardian-'))
  try {
    // The same number, another time of birth.
    const script = join(import.meta.dirname, 'guardian.sh')
    writeFileSync(join(dir, 'lines'), `add ${other.pid} 1 TERM\n`)
    const shell = spawn('sh', ['-c', `exec sh "${script}" mark < "${join(dir, 'lines')}"`])
    await new Promise((resolve) => shell.once('exit', resolve))
    expect(isAlive(other.pid ?? 0)).toBe(true)
  } finally {
    other.kill('SIGKILL')
    rmSync(dir, { recursive: true })
    await guardian[Symbol.asyncDispose]()
  }
})

test('is replaced when it is killed, and knows all that the first knew', async () => {
  const guardian = new Guardian()
  const mine = sleeper()
  guardian.watch(mine)
  const first = guardian.pid ?? 0
  process.kill(first, 'SIGKILL')
  await until('there is another', () => guardian.pid !== first)
  await guardian[Symbol.asyncDispose]()
  await until('it is gone', () => !isAlive(mine.pid ?? 0))
})
