import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { key, Started } from '../../local/testing/fixture.ts'
import { WholeTree } from '../../local/testing/whole-tree.ts'
import { readBase } from './base.ts'
import { scripts } from './lua.ts'
import { hasLua, phasesOf } from './testing/lua.ts'
import { PlayedKong } from './testing/played-kong.ts'
import { kongFile } from './testing/schema.ts'

vi.setConfig({ testTimeout: 300_000 })

const root = join(import.meta.dirname, '../../..')

// What kong.yml and kong/lua say, by our own reading of Kong: not Kong itself, which cannot be had here.
test.skipIf(!hasLua)('kong.yml and its scripts keep the contract, as they are read here', async () => {
  await using stack = new AsyncDisposableStack()
  const run = stack.use(await new Started(stack.use(new WholeTree())).ready())
  const [base, lua, file] = await Promise.all([
    readBase(root),
    scripts(root),
    readFile(join(root, 'kong/kong.yml'), 'utf8').then((text) => v.parse(kongFile, parse(text))),
  ])
  const kong = stack.use(
    new PlayedKong({
      file,
      phases: phasesOf(lua),
      keyNames: v.parse(v.array(v.string()), base.keyAuth.config['key_names']),
      key,
      upstream: new URL(run.url),
    }),
  )
  const { code, said } = await conformance(await kong.listen())
  expect([code, said.replaceAll(/^ok .*\n/gm, '')]).toEqual([
    0,
    expect.stringMatching(/^1\d\d passed, 0 failed, 4 left/m),
  ])
})

async function conformance(url: string): Promise<{ code: number | null; said: string }> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, ['scripts/conformance.ts', '--url', url, '--key', key, '--kong'], {
    cwd: root,
    env: { PATH, HOME },
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
    })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, said }
}
