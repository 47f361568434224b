import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { root } from '../lab.ts'
import type { ServerUrls } from './servers.ts'

export interface Overlay extends AsyncDisposable {
  /** For `kubectl apply -k`. */
  readonly folder: string
}

/** knative/overlays/lab as it is in the tree, but with this run's tag, and the URLs of this run's servers, which have passwords. */
export async function overlayOf(tag: string, urls: ServerUrls): Promise<Overlay> {
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
  const secrets = Object.entries(urls).map(([name, url]) =>
    stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: 'registrar' },
      stringData: { url },
    }),
  )
  await writeFile(join(folder, 'secrets.yaml'), secrets.join('---\n'))
  return { folder, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}
