import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { removeFolder, testFolder } from '../../../shared/testing/temporary.ts'
import { differences, treeOf } from './tree.ts'

test('two trees differ by what is there, by modes and by bytes, but not by those of a code cache', async () => {
  const dir = await testFolder()
  try {
    const lay = async (
      name: string,
      files: Readonly<Record<string, string>>,
      mode = 0o644,
    ): Promise<string> => {
      const root = join(dir, name)
      await mkdir(join(root, 'app'), { recursive: true })
      for (const [file, text] of Object.entries(files)) {
        await writeFile(join(root, 'app', file), text)
        await chmod(join(root, 'app', file), mode)
      }
      return root
    }
    const files = { 'main.cjs': 'a', 'main.cjs.cache': 'some' }
    const expected = await treeOf(await lay('expected', files))
    const against = async (...what: Parameters<typeof lay>): Promise<string[]> =>
      differences(await treeOf(await lay(...what)), expected)
    expect([...expected.keys()]).toEqual(['app', 'app/main.cjs', 'app/main.cjs.cache'])
    expect(await against('cache', { ...files, 'main.cjs.cache': 'other' })).toEqual([])
    expect(await against('bytes', { ...files, 'main.cjs': 'b' })).toEqual([
      expect.stringMatching(/^app\/main\.cjs: 644 [\da-f]{16}, not 644 [\da-f]{16}$/),
    ])
    expect(await against('mode', files, 0o600)).toHaveLength(2)
    expect(await against('less', { 'main.cjs': 'a' })).toEqual([
      expect.stringMatching(/^app\/main\.cjs\.cache: not there, not 644 $/),
    ])
    expect(await against('more', { ...files, 'x.md': '' })).toEqual([
      expect.stringMatching(/^app\/x\.md: 644 [\da-f]{16}, not there$/),
    ])
  } finally {
    await removeFolder(dir)
  }
})
