import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Manifest } from '../manifest.ts'
import { documentsOf } from './documents.ts'

const root = join(import.meta.dirname, '../../../..')

/** kubectl carries kustomize. Where CI runs it has to be there; elsewhere what needs it is skipped, and says so. */
export const withoutKubectl = spawnSync('kubectl', ['version', '--client']).error !== undefined
if (withoutKubectl) {
  const said = 'kubectl is not on the PATH: the overlays of knative/ cannot be built, and are not tested'
  if (process.env['CI']) throw new Error(said)
  console.warn(said)
}

/** The YAML that `kubectl apply -k` would apply. @throws where building it says anything beside. */
export async function build(folder: string): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)('kubectl', ['kustomize', join(root, folder)], {
    maxBuffer: 64 * 1024 * 1024,
  })
  if (stderr !== '') throw new Error(`kubectl kustomize ${folder} warns: ${stderr}`)
  return stdout
}

/** The objects of an overlay. */
export async function overlay(name: string): Promise<Manifest[]> {
  return documentsOf(await build(`knative/overlays/${name}`))
}
