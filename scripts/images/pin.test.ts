import { chmod, cp, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { Dockerfile } from './dockerfile.ts'
import { pinBase } from './pin.ts'

afterEach(() => vi.unstubAllEnvs())

/** A copy of the Dockerfile, and a docker that says one thing. */
async function withDocker(script: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'registrar-pin-'))
  await cp(join(import.meta.dirname, 'Dockerfile'), join(dir, 'Dockerfile'))
  await writeFile(join(dir, 'docker'), `#!/bin/sh\n${script}\n`)
  await chmod(join(dir, 'docker'), 0o755)
  vi.stubEnv('PATH', `${dir}:/usr/bin:/bin`)
  return join(dir, 'Dockerfile')
}

const digest = (of: string): string => `sha256:${of.repeat(64)}`
const baseOf = async (file: string): Promise<string> =>
  new Dockerfile(await readFile(file, 'utf8')).argument('BASE')

it('writes the digest that the registry gives behind the tag, and replaces it by the next', async () => {
  const file = await withDocker(`echo "$4" >&2; [ "$4" = "$NAME" ] && echo "$DIGEST"`)
  const name = (await baseOf(file)).replace(/@.*/, '')
  vi.stubEnv('NAME', name)
  for (const one of ['a', 'b']) {
    vi.stubEnv('DIGEST', digest(one))
    expect(await pinBase(file)).toBe(`${name}@${digest(one)}`)
    expect(await baseOf(file)).toBe(`${name}@${digest(one)}`)
  }
})

it.each(['echo no registry >&2; exit 1', 'echo latest'])(
  'guesses none where docker does not say it (%s)',
  async (said) => {
    const file = await withDocker(said)
    const before = await readFile(file, 'utf8')
    await expect(pinBase(file)).rejects.toThrow()
    expect(await readFile(file, 'utf8')).toBe(before)
  },
)
