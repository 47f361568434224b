import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

/*
 * What becomes of a process whose reader leaves, as in `... | head`.
 */

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'log-'))
})
afterEach(() => {
  rmSync(dir, { recursive: true, force: true })
})

/** Runs a script that waits for a message, which it gets when nobody reads its stdout any more. */
async function withoutReader(script: string): Promise<{ code: unknown; stderr: string; heard: unknown[] }> {
  const file = join(dir, 'script.ts')
  const from = (path: string): string => JSON.stringify(join(import.meta.dirname, path))
  const imports = `import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { flushLog, log } from ${from('log.ts')}
import { runJob } from ${from('hosts/job.ts')}
`
  writeFileSync(file, `${imports}await once(process, 'message')\n${script}`)
  const child: ChildProcess = fork(file, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  const heard: unknown[] = []
  child.on('message', (message) => heard.push(message))
  if (child.stdout) {
    const closed = once(child.stdout, 'close')
    child.stdout.destroy()
    await closed
  }
  child.send('go')
  const [code] = await once(child, 'close')
  return { code, stderr, heard }
}

test('a log that nobody reads ends in silence, and the process goes on', async () => {
  const result = await withoutReader(`
for (let line = 0; line < 3; line++) {
  log('info', { line })
  flushLog()
  await turn()
}
process.send('went on', () => process.disconnect())
`)
  expect(result).toEqual({ code: 0, stderr: '', heard: ['went on'] })
})

test.each([
  ['{}', 0],
  ['Promise.reject(new Error("of the job"))', 1],
])('a job that tells what it does to nobody ends as it would have: %s', async (end, code) => {
  const result = await withoutReader(`
const handler = () => async () => {
  process.stdout.write('plan: this\\n')
  await turn()
  log('info', { told: 'that' })
  flushLog()
  await turn()
  process.send('done')
  return ${end}
}
await runJob({ name: 'platform/job', declaration: { summary: '', trigger: { kind: 'job' }, needs: [] }, handler, wires: {} })
`)
  expect(result).toMatchObject({ code, stderr: '' })
  expect(result.heard).toContain('done')
})
