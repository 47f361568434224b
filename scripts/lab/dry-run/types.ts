import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Lab } from '../lab.ts'

/** The only types beyond the lab's own that a Go module carries: those of Eventing, Kong and Prometheus' operator cannot be had. */
const module = 'github.com/external-secrets/external-secrets@v0.20.4'
const file = 'config/crds/bases/external-secrets.io_externalsecrets.yaml'

/** Teaches the server what an ExternalSecret is. @returns a word on whether that could be done. */
export async function externalSecretTypes(lab: Lab): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module], {
      cwd: tmpdir(),
    })
    const { Dir: folder }: { Dir?: string } = JSON.parse(stdout)
    await lab.get('apply', '--server-side', '-f', join(folder ?? '', file))
    await lab.get('wait', 'crd/externalsecrets.external-secrets.io', '--for', 'condition=Established')
    return module
  } catch (error) {
    return `NOT THERE: ${module}: ${error instanceof Error ? error.message : error}`
  }
}
