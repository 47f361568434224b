import { randomBytes } from 'node:crypto'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { discoverFunctions } from '../../../shared/spec/discover.ts'
import { manifestsOf, type OwnerUrls, secretsOf } from '../../credentials/secrets.ts'
import { root } from '../lab.ts'

export interface Overlay extends AsyncDisposable {
  /** For `kubectl apply -k`. */
  readonly folder: string
}

/** knative/overlays/lab as it is in the tree, but with this run's tag, and the URLs of this run's servers, which have passwords. */
export async function overlayOf(tag: string, urls: OwnerUrls): Promise<Overlay> {
  const dir = await mkdtemp(join(tmpdir(), 'registrar-lab-overlay-'))
  const knative = join(dir, 'knative')
  const folder = join(knative, 'overlays/lab')
  await cp(join(root, 'knative'), knative, { recursive: true })
  await writeFile(
    join(folder, 'functions/release.yaml'),
    stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'registrar-release', annotations: { 'config.kubernetes.io/local-config': 'true' } },
      data: { registry: 'dev.local', tag },
    }),
  )
  const secrets = manifestsOf(
    secretsOf(await discoverFunctions(root), urls, randomBytes(24).toString('hex')),
    'registrar',
  )
  await writeFile(join(folder, 'secrets.yaml'), secrets.map((one) => stringify(one)).join('---\n'))
  return { folder, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}
