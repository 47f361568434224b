import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { executable, onPath } from '../engines/find.ts'
import { isAlive } from '../local/process-table.ts'

const run = promisify(execFile)

/** Go's compiler, where there is one. */
export function findGo(): string | undefined {
  const usual = '/usr/local/go/bin/go'
  return onPath('go') ?? (executable(usual) ? usual : undefined)
}

/**
 * The stand-in's binary, built when these very sources were not built before. It lies in the user's cache folder rather
 * than in node_modules, which `npm ci` empties: the first build takes minutes.
 */
export async function buildStandin(go: string, log: (line: string) => void = () => {}): Promise<string> {
  const dir = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'registrar', 'mongo-standin')
  const binary = join(dir, await hashOfSources())
  if (executable(binary)) return binary
  await mkdir(dir, { recursive: true })
  await using _lock = await lock(`${binary}.lock`)
  if (executable(binary)) return binary
  log('building mongo-standin, once: this takes a few minutes')
  const fresh = `${binary}.${randomBytes(4).toString('hex')}`
  try {
    await run(go, ['build', '-trimpath', '-ldflags=-s -w', '-o', fresh, '.'], {
      cwd: import.meta.dirname,
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' },
      maxBuffer: 1 << 24,
    })
    await rename(fresh, binary)
  } finally {
    await rm(fresh, { force: true })
  }
  return binary
}

async function hashOfSources(): Promise<string> {
  const files = (await readdir(import.meta.dirname))
    .filter((name) => /^go\.(mod|sum)$|\.go$/.test(name))
    .sort()
  const hash = createHash('sha256')
  for (const name of files) hash.update(`${name}\0`).update(await readFile(join(import.meta.dirname, name)))
  return hash.digest('hex').slice(0, 16)
}

/** Two test files at once build it once. A lock whose process is no more is taken over. */
async function lock(file: string): Promise<AsyncDisposable> {
  for (;;) {
    try {
      const handle = await open(file, 'wx')
      await handle.writeFile(String(process.pid))
      await handle.close()
      return { [Symbol.asyncDispose]: () => rm(file, { force: true }) }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const holder = Number(await readFile(file, 'utf8').catch(() => ''))
    if (holder > 0 && !isAlive(holder)) await rm(file, { force: true })
    await sleep(200)
  }
}

if (import.meta.main) {
  const go = findGo()
  if (!go) throw new Error('there is no Go: put it on the PATH')
  process.stdout.write(`${await buildStandin(go, (line) => process.stderr.write(`${line}\n`))}\n`)
}
