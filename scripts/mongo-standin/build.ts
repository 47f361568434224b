import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { builtOnce, findGo } from '../engines/go.ts'

const run = promisify(execFile)

/** The stand-in's binary, built when these very sources were not built before. */
export async function buildStandin(go: string, log: (line: string) => void = () => {}): Promise<string> {
  return builtOnce(['mongo-standin', await hashOfSources()], async (file) => {
    log('building mongo-standin, once: this takes a few minutes')
    await run(go, ['build', '-trimpath', '-ldflags=-s -w', '-o', file, '.'], {
      cwd: import.meta.dirname,
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' },
      maxBuffer: 1 << 24,
    })
  })
}

async function hashOfSources(): Promise<string> {
  const files = (await readdir(import.meta.dirname))
    .filter((name) => /^go\.(mod|sum)$|\.go$/.test(name))
    .sort()
  const hash = createHash('sha256')
  for (const name of files) hash.update(`${name}\0`).update(await readFile(join(import.meta.dirname, name)))
  return hash.digest('hex').slice(0, 16)
}

if (import.meta.main) {
  const go = findGo()
  if (!go) throw new Error('there is no Go: put it on the PATH')
  process.stdout.write(`${await buildStandin(go, (line) => process.stderr.write(`${line}\n`))}\n`)
}
