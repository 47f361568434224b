import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as messages from '../../../shared/messages/streams.ts'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import { consumers } from '../consumers.ts'

/** Of all that the initializer makes, as far as it is data: migrations, streams, consumers. Its code is the image's. */
export async function planHash(root: string, functions: readonly DiscoveredFunction[]): Promise<string> {
  const { streams, deadLetter, advisories } = messages
  const hash = createHash('sha256').update(JSON.stringify({ streams, deadLetter, advisories }))
  hash.update(consumers(functions))
  const files = await readdir(join(root, 'functions'), { recursive: true })
  const migrations = files.filter((path) => /^[^/]+\/migrations\/[^/]+$/.test(path)).toSorted()
  for (const path of migrations) hash.update(path).update(await readFile(join(root, 'functions', path)))
  return hash.digest('hex')
}
