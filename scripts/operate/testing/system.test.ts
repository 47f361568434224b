import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { command } from './system.ts'

it.each([
  ['done', '', 0],
  ['a code of its own', 'process.exit(3)', 3],
  ['killed', "process.kill(process.pid, 'SIGKILL')", -1],
])('tells how a command ended: %s', async (_, script, code) => {
  const root = mkdtempSync(join(tmpdir(), 'registrar-command-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'scripts/operate'), { recursive: true })
  writeFileSync(join(root, 'scripts/operate/one.ts'), script)
  expect((await command(root, {}, ['one'])).code).toBe(code)
})
