import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { bundlesOf, ensureBundles } from './build/current.ts'
import { readDockerfile } from './images/dockerfile.ts'
import { imagesOf, layContexts } from './images/folder.ts'
import { layOut } from './images/layout.ts'
import { events, eventsSlug, onCall } from './images/name.ts'
import { pinBase } from './images/pin.ts'
import { sizesOf, sizeTable } from './images/sizes.ts'

const usage = `npm run images                              the contexts of all images, into dist/images
npm run images -- --list                    their names and sizes
npm run images -- --layout <slug> <folder>  the root file system of one, without Docker
npm run images -- --config <slug>           what its container is started with, as JSON
npm run images -- --pin                     the base image's digest, into the Dockerfile
with --on-call: of the image that runs what runs to its end whenever it is called`

const root = join(import.meta.dirname, '..')

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: 'boolean' },
      layout: { type: 'boolean' },
      config: { type: 'boolean' },
      pin: { type: 'boolean' },
      'on-call': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    console.log(usage)
    return
  }
  if (values.pin) {
    console.log(`${await pinBase()}\nnow: npm run build`)
    return
  }
  await ensureBundles(root)
  const bundles = bundlesOf(root)
  const functions = await layContexts(root, bundles)
  const context = imagesOf(bundles)
  const slugs = [...functions.map(({ name }) => name.slug), eventsSlug]
  const [slug = '', folder] = positionals
  const known = (values.layout || values.config) && slugs.includes(slug)
  const args = slug === eventsSlug ? events : { FUNCTION: slug, ...(values['on-call'] ? onCall : {}) }
  if (values.list) process.stdout.write(sizeTable(await sizesOf(context, slugs)))
  else if (values.layout && known && folder !== undefined) {
    await layOut({ context, args, dir: resolve(folder) })
    console.log(`laid out ${slug} below ${resolve(folder)}`)
  } else if (values.config && known)
    console.log(JSON.stringify((await readDockerfile()).config(new Map(Object.entries(args)))))
  else if (Object.keys(values).length === 0) console.log(`laid ${slugs.length} images out in ${context}`)
  else throw new Error(`${usage}\nimages: ${slugs.join(', ')}`)
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
