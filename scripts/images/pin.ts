import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export const withoutDigest = (reference: string): string => reference.replace(/@sha256:[0-9a-f]{64}$/, '')

/**
 * Asks the registry for the digest of the base image's tag, and writes it into the Dockerfile.
 * @throws Error where there is no docker with buildx, or no way to the registry: a digest is never guessed.
 */
export async function pinBase(file = join(import.meta.dirname, 'Dockerfile')): Promise<string> {
  const text = await readFile(file, 'utf8')
  const base = /^ARG BASE=(\S+)$/m.exec(text)?.[1]
  if (base === undefined) throw new Error(`${file} has no line ARG BASE=`)
  const name = withoutDigest(base)
  const args = ['buildx', 'imagetools', 'inspect', name, '--format', '{{.Manifest.Digest}}']
  const { stdout } = await run('docker', args).catch((cause) => {
    throw new Error(`no digest of ${name}: that takes docker with buildx, and a way to the registry`, {
      cause,
    })
  })
  const digest = stdout.trim()
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error(`docker gave no digest of ${name}: ${digest}`)
  await writeFile(file, text.replace(`ARG BASE=${base}`, `ARG BASE=${name}@${digest}`))
  return `${name}@${digest}`
}
