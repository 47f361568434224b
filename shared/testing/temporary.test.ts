import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { testFolder } from './temporary.ts'

test('a test run has a folder of its own, and removes those of runs that are dead', async () => {
  const base = mkdtempSync(join(tmpdir(), 'base-'))
  try {
    const dead = spawn('true')
    await once(dead, 'exit')
    const stale = `registrar-test-${dead.pid}-AbCdEf`
    const alive = `registrar-test-${process.ppid}-AbCdEf`
    const others = [alive, 'registrar-test-AbCdEf', `something-${dead.pid}-AbCdEf`]
    for (const name of [stale, ...others]) {
      mkdirSync(join(base, name, 'below'), { recursive: true })
      writeFileSync(join(base, name, 'below', 'file'), '')
    }
    const own = await testFolder(base)
    expect(basename(own)).toContain(`registrar-test-${process.pid}-`)
    expect(readdirSync(base).sort()).toEqual([...others, basename(own)].sort())
    for (const name of others) expect(existsSync(join(base, name, 'below', 'file'))).toBe(true)
  } finally {
    rmSync(base, { recursive: true })
  }
})

test('what tests make lies in the folder of their run', () => {
  expect(basename(tmpdir())).toMatch(/^registrar-test-\d+-/)
})
