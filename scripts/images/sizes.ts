import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { bundleInImage } from './folder.ts'

export interface ImageSize {
  readonly slug: string
  /** In bytes, each. */
  readonly bundle: number
  readonly packages: number
  readonly total: number
}

/** What each image adds to its base, code caches apart, which are made when it is built. */
export async function sizesOf(images: string, slugs: readonly string[]): Promise<ImageSize[]> {
  return Promise.all(
    slugs.map(async (slug) => {
      const dir = join(images, slug)
      return {
        slug,
        bundle: await sizeOf(join(dir, `app/${bundleInImage}.cjs`)),
        packages: await sizeOf(join(dir, 'app/packages')),
        total: (await sizeOf(join(dir, 'app'))) + (await sizeOf(join(dir, 'licenses'))),
      }
    }),
  )
}

async function sizeOf(path: string): Promise<number> {
  const own = await stat(path).catch(() => undefined)
  if (!own?.isDirectory()) return own?.size ?? 0
  const sizes = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))))
  return sizes.reduce((sum, size) => sum + size, 0)
}

export function sizeTable(sizes: readonly ImageSize[]): string {
  const rows = [
    ['image', 'bundle', 'packages', 'total'],
    ...sizes.map(({ slug, bundle, packages, total }) => [slug, ...[bundle, packages, total].map(kilobytes)]),
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')
  return `${rows.map(line).join('\n')}\n`
}

const kilobytes = (bytes: number): string => (bytes === 0 ? '-' : `${Math.ceil(bytes / 1024)} kB`)
