import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { done } from '../ran.ts'

const descriptor = v.object({ digest: v.pipe(v.string(), v.regex(/^sha256:[\da-f]{64}$/)) })
const indexSchema = v.object({ manifests: v.tuple([descriptor]) })
const manifestSchema = v.object({ config: descriptor, layers: v.array(descriptor) })
const configSchema = v.object({
  config: v.object({
    User: v.string(),
    WorkingDir: v.string(),
    Entrypoint: v.array(v.string()),
    Env: v.array(v.string()),
    Labels: v.record(v.string(), v.string()),
    ExposedPorts: v.record(v.string(), v.object({})),
  }),
})

export interface BuiltImage {
  readonly config: v.InferOutput<typeof configSchema>['config']
  /** Digests of its layers, the lowest first. */
  readonly layers: readonly string[]
  /** Lays its root file system out. */
  unpack(dir: string): Promise<void>
}

/** Reads an image of one platform in the OCI's image layout. */
export async function readImage(layout: string): Promise<BuiltImage> {
  const blob = (digest: string): string => join(layout, 'blobs', digest.replace(':', '/'))
  const read = async (file: string): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'))
  const {
    manifests: [{ digest }],
  } = v.parse(indexSchema, await read(join(layout, 'index.json')))
  const manifest = v.parse(manifestSchema, await read(blob(digest)))
  const { config } = v.parse(configSchema, await read(blob(manifest.config.digest)))
  const layers = manifest.layers.map((layer) => layer.digest)
  return {
    config,
    layers,
    async unpack(dir) {
      await mkdir(dir, { recursive: true })
      // No layer of ours takes a file away.
      for (const layer of layers) await done('tar', ['-xzpf', blob(layer), '-C', dir])
    },
  }
}
