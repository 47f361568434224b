import { randomBytes } from 'node:crypto'
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Engines' passwords of this data directory, and the key of the functions' own, made at its first start. */
export type Secrets = Readonly<Record<'postgres' | 'redis' | 'nats' | 'roles', string>>

export async function loadSecrets(dataDir: string): Promise<Secrets> {
  const file = join(dataDir, 'secrets.json')
  const known: Partial<Secrets> = parse((await readIfThere(file)) ?? '{}')
  const make = (): string => randomBytes(24).toString('hex')
  const secrets = {
    postgres: known.postgres ?? make(),
    redis: known.redis ?? make(),
    nats: known.nats ?? make(),
    roles: known.roles ?? make(),
  }
  await writePrivate(file, `${JSON.stringify(secrets, undefined, 2)}\n`)
  return secrets
}

function parse(text: string): Partial<Secrets> {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

/** The key of the gateway: the user's own, or one that is made once and kept. */
export async function loadApiKey(dataDir: string, given: string | undefined): Promise<string> {
  if (given !== undefined) return given
  const file = join(dataDir, 'api-key')
  const stored = ((await readIfThere(file)) ?? '').trim()
  const key = /^[\x21-\x7e]{1,512}$/.test(stored) ? stored : randomBytes(24).toString('base64url')
  if (key === stored) await chmod(file, 0o600)
  else await writePrivate(file, `${key}\n`)
  return key
}

/** @throws Error for what is there and cannot be read: whoever took it for nothing would write over it. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Whole or not at all, and readable by its owner alone from the first byte. */
export async function writePrivate(file: string, content: string): Promise<void> {
  const fresh = `${file}.${process.pid}`
  try {
    await writeFile(fresh, content, { mode: 0o600 })
    await rename(fresh, file)
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  }
}
