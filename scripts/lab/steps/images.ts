import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundlesOf, ensureBundles } from '../../build/current.ts'
import { readDockerfile } from '../../images/dockerfile.ts'
import { imagesOf, layContexts } from '../../images/folder.ts'
import { layOut } from '../../images/layout.ts'
import { imageName } from '../../images/name.ts'
import { labDirectory, root, tool } from '../lab.ts'
import { done } from '../ran.ts'

/** What `cluster image` runs; it writes nowhere but to the name that `cluster up` loads. */
const packer = join(tool, '../node/mkimage.mjs')

/**
 * Every function's image, laid out as a build of the Dockerfile would, into the lab's store, from where each `up` loads them.
 * Those of other contents that earlier runs left there are removed.
 * @returns their tag, which is a hash of all that they are made of
 */
export async function makeImages(signal: AbortSignal, made: (name: string) => void): Promise<string> {
  await ensureBundles(root)
  const functions = await layContexts(root, bundlesOf(root))
  const context = imagesOf(bundlesOf(root))
  const tag = await hashOf(context)
  const store = join(labDirectory(), 'images')
  for (const file of await readdir(store))
    if (/^registrar-.*\.tar(\.part)?$/.test(file) && !file.endsWith(`_${tag}.tar`))
      await rm(join(store, file))
  const dockerfile = await readDockerfile()
  for (const {
    name: { slug },
  } of functions) {
    const name = imageName(slug)
    const file = join(store, `${name}_${tag}.tar`)
    if (existsSync(file)) continue
    const args = { FUNCTION: slug }
    const dir = await mkdtemp(join(tmpdir(), 'registrar-lab-image-'))
    try {
      await layOut({ context, args, dir })
      const config = JSON.stringify(dockerfile.config(new Map(Object.entries(args))))
      await whole(file, (part) =>
        done(process.execPath, [packer, `dev.local/${name}:${tag}`, dir, part, config], { signal }),
      )
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
    made(name)
  }
  return tag
}

/** Has a file written beside its name: whoever is killed meanwhile leaves nothing that a later run takes for it. */
export async function whole(file: string, write: (part: string) => Promise<unknown>): Promise<void> {
  const part = `${file}.part`
  await write(part)
  await rename(part, file)
}

/** Removes what containerd still has of the images of other contents: nothing else would, and they are gigabytes. */
export async function forgetOthers(tag: string, signal: AbortSignal): Promise<void> {
  const lab = labDirectory()
  const ctr = (...args: string[]) =>
    done(
      tool,
      [
        'shell',
        join(lab, 'debian/usr/bin/ctr'),
        ...['--address', join(lab, 'run/containerd/containerd.sock'), '--namespace', 'k8s.io', 'images'],
        ...args,
      ],
      { signal },
    )
  // REF, TYPE, DIGEST and more; kubelet's side of containerd keeps a second name for each, which is a hash.
  const lines = (await ctr('list')).split('\n').slice(1)
  const images = lines.map((line) => line.split(/\s+/)).filter((words) => words.length > 3)
  const isKept = (name = ''): boolean => name.endsWith(`:${tag}`) || !/^sha256:|\/registrar-/.test(name)
  const kept = new Set(images.flatMap(([name, , digest]) => (isKept(name) ? [digest] : [])))
  const others = images.flatMap(([name, , digest]) => (name && !kept.has(digest) ? [name] : []))
  // Waits until they are gone: the lab may go down before that would have happened by itself.
  if (others.length > 0) await ctr('remove', '--sync', ...others)
}

/** Of every file of the contexts, and of the Node that goes into the images. */
async function hashOf(context: string): Promise<string> {
  const hash = createHash('sha256').update(process.version)
  const entries = await readdir(context, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
  for (const file of files.toSorted())
    hash.update(`${file.slice(context.length)}\n`).update(await readFile(file))
  return hash.digest('hex').slice(0, 12)
}
