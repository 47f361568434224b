import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { whole } from './images.ts'

it('an image is there when it is whole, not before', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'registrar-images-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const file = join(dir, 'registrar-a_1.tar')
  const stopped = whole(file, async (part) => {
    await writeFile(part, 'ha')
    throw new Error('stopped by SIGTERM')
  })
  await expect(stopped).rejects.toThrow('stopped by SIGTERM')
  expect(await readdir(dir)).not.toContain('registrar-a_1.tar')
  await whole(file, (part) => writeFile(part, 'whole'))
  expect(await readdir(dir)).toEqual(['registrar-a_1.tar'])
  expect(await readFile(file, 'utf8')).toBe('whole')
})
