import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

/** An asset's bytes, and their entity tag. */
export interface Asset {
  readonly bytes: Uint8Array
  readonly etag: string
}

/** Specifiers of what the function serves, as seen from this file. Their last parts are the names of the assets. */
const sources = [
  '../../../openapi.json',
  './assets/registrar.js',
  './assets/registrar.css',
  'swagger-ui-dist/swagger-ui-bundle.js',
  'swagger-ui-dist/swagger-ui.css',
  'swagger-ui-dist/favicon-32x32.png',
] as const

type NameOf<S extends string> = S extends `${string}/${infer Rest}` ? NameOf<Rest> : S

export type AssetName = NameOf<(typeof sources)[number]>

/** For a bundler: the files that a bundle needs in the folder `assets` beside it, absolute. */
export function assetFiles(): string[] {
  return sources.map(sourceFile)
}

/** Reads an asset when it is first asked for. */
export function assetReader(): (name: AssetName) => Promise<Asset> {
  const read = new Map<AssetName, Promise<Asset>>()
  return (name) => {
    const asset = read.get(name) ?? load(name)
    read.set(name, asset)
    // What could not be read is tried again.
    asset.catch(() => read.delete(name))
    return asset
  }
}

/** Beside a bundle; else where the sources have it. */
async function load(name: AssetName): Promise<Asset> {
  const bytes = await readFile(new URL(`./assets/${name}`, import.meta.url)).catch(() =>
    readFile(sourceOf(name)),
  )
  return { bytes, etag: etagOf(bytes) }
}

export function etagOf(content: Uint8Array | string): string {
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`
}

function sourceOf(name: AssetName): string {
  const source = sources.find((one) => basename(one) === name)
  if (source === undefined) throw new Error(`there is no asset ${name}`)
  return sourceFile(source)
}

function sourceFile(source: string): string {
  return source.startsWith('.')
    ? fileURLToPath(new URL(source, import.meta.url))
    : createRequire(import.meta.url).resolve(source)
}
