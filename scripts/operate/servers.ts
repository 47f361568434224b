import { join } from 'node:path'
import type { UrlName } from '../local/configuration.ts'
import { findUrls } from '../local/servers.ts'

const root = join(import.meta.dirname, '../..')

/** The servers that a command needs, and no others: of the environment, else of the `npm start` on its data directory. */
export function urlsOf<const N extends UrlName>(...names: readonly N[]): Readonly<Record<N, string>> {
  const { env } = process
  const found: NodeJS.ProcessEnv = { ...env, ...findUrls(root, env, names) }
  return Object.fromEntries(names.map((name) => [name, found[name] ?? ''])) as Record<N, string>
}
