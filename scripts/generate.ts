import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { discoverFunctions } from '../shared/spec/discover.ts'
import { consumers } from './generate/consumers.ts'
import { secretFiles } from './generate/knative/secrets.ts'
import { generatedFolder, knative } from './generate/knative.ts'
import { kicFolder, kong } from './generate/kong.ts'
import { dashboardFolder, observability } from './generate/observability/observability.ts'
import { openapi } from './generate/openapi.ts'
import { openfaas } from './generate/openfaas.ts'
import { protobuf, protobufFolder } from './generate/protobuf.ts'
import { roles } from './generate/roles.ts'
import { bake } from './images/bake.ts'
import { versionOf } from './images/version.ts'

/** Everything that derives from the declarations and the messages, by its path. */
export async function generated(root: string): Promise<ReadonlyMap<string, string>> {
  const functions = await discoverFunctions(root)
  const version = await versionOf(root)
  return new Map([
    ...(await protobuf(root)),
    ...(await kong(root, functions)),
    ['openapi.json', await openapi(root, functions)],
    ['shared/generated/consumers.json', consumers(functions)],
    ['shared/generated/roles.json', roles(functions)],
    ['docker-bake.hcl', bake(version, functions)],
    ...secretFiles(functions),
    ...openfaas(version, functions),
    ...observability(functions),
    ...(await knative(root, functions)),
  ])
}

/** Folders in which every file is generated: what no declaration asks for any more goes. */
const ownFolders = [generatedFolder, kicFolder, protobufFolder, dashboardFolder]

/** Writes what differs, and removes what is stale; returns the paths of both. */
export async function generate(root: string, write: boolean): Promise<string[]> {
  const changed: string[] = []
  const files = await generated(root)
  for (const [path, content] of files) {
    const file = join(root, path)
    const current = await readFile(file, 'utf8').catch(() => undefined)
    if (current === content) continue
    changed.push(path)
    if (!write) continue
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  }
  const stale = (await Promise.all(ownFolders.map((folder) => filesIn(root, folder))))
    .flat()
    .filter((path) => !files.has(path))
  for (const path of stale) if (write) await rm(join(root, path))
  return [...changed, ...stale]
}

async function filesIn(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) =>
      join(parentPath, name)
        .slice(root.length + 1)
        .replaceAll('\\', '/'),
    )
}

if (import.meta.main) {
  const check = process.argv.includes('--check')
  const changed = await generate(join(import.meta.dirname, '..'), !check)
  for (const path of changed) console.log(`${check ? 'differs' : 'changed'}: ${path}`)
  if (check && changed.length > 0) process.exitCode = 1
}
