import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfiguration, type UrlName, urlNames } from './configuration.ts'
import { isAlive } from './process-table.ts'
import { Refusal } from './refusal.ts'

interface RunFile {
  readonly pid: number
  readonly urls: Readonly<Record<string, string>>
}

/** The URLs of the environment, else those of the run on its data directory, which has to be where one of `names` is missing. */
export function findUrls(
  root: string,
  env: NodeJS.ProcessEnv,
  names: readonly UrlName[] = urlNames,
): Record<string, string> {
  const { dataDir, shownDataDir, urls } = readConfiguration({ root, env: { ...env, PORT: undefined } })
  const missing = names.filter((name) => !urls[name])
  if (missing.length === 0) return {}
  try {
    const { pid, urls: running }: RunFile = JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8'))
    if (isAlive(pid)) return { ...running, ...urls }
  } catch {
    // No run, or one that is just ending.
  }
  throw new Refusal(
    `There are no servers to work with: run npm start beside this (on ${shownDataDir}), or set ${missing.join(', ')}.`,
  )
}
