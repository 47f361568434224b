import { mkdtempSync, rmSync } from 'node:fs'
import { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { lockDirectory } from './lock.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'registrar-lock-'))
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

test('a directory is held once, and again after that', async () => {
  const lock = await lockDirectory(folder, 'here')
  await expect(lockDirectory(folder, 'here')).rejects.toThrow(/^Another start uses the data directory here: /)
  await lock[Symbol.asyncDispose]()
  await (await lockDirectory(folder, 'here'))[Symbol.asyncDispose]()
})

test('a holder that is about to end is waited for', async () => {
  const lock = await lockDirectory(folder, 'here')
  const next = lockDirectory(folder, 'here')
  await sleep(300)
  await lock[Symbol.asyncDispose]()
  await (await next)[Symbol.asyncDispose]()
})

test('who is told to stop waits no longer', async () => {
  await using _lock = await lockDirectory(folder, 'here')
  await expect(lockDirectory(folder, 'here', AbortSignal.timeout(200))).rejects.toThrow(/abort/)
})

test.runIf(process.platform === 'linux')('what else is wrong is not told as another start', async () => {
  const error = Object.assign(new Error('listen EMFILE: too many open files'), { code: 'EMFILE' })
  vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server) {
    process.nextTick(() => this.emit('error', error))
    return this
  })
  await expect(lockDirectory(folder, 'here')).rejects.toBe(error)
})
