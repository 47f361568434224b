import { lstat, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadApiKey, loadSecrets, writePrivate } from './secrets.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'registrar-secrets-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

it('leaves no secret beside a file that cannot be replaced', async () => {
  await mkdir(join(dir, '.env'))
  await expect(writePrivate(join(dir, '.env'), 'secret')).rejects.toThrow('EISDIR')
  expect(await readdir(dir)).toEqual(['.env'])
})

it('makes no new secrets in place of what cannot be read', async () => {
  // Unreadable for root, too.
  for (const name of ['secrets.json', 'api-key']) await symlink(name, join(dir, name))
  await expect(loadSecrets(dir)).rejects.toThrow('ELOOP')
  await expect(loadApiKey(dir, undefined)).rejects.toThrow('ELOOP')
  for (const name of ['secrets.json', 'api-key'])
    expect((await lstat(join(dir, name))).isSymbolicLink()).toBe(true)
})
