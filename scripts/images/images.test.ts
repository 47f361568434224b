import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DiscoveredFunction, discoverFunctions } from '../../shared/spec/discover.ts'
import { bundleArguments } from '../build/current.ts'
import { readDockerfile } from './dockerfile.ts'
import { bundleInImage, imagesOf } from './folder.ts'
import { eventsSlug, onCallSlug } from './name.ts'
import { sizesOf, sizeTable } from './sizes.ts'
import { Containers } from './testing/containers.ts'

const run = promisify(execFile)
const functions = await discoverFunctions(join(import.meta.dirname, '../..'))
const dockerfile = await readDockerfile()

let containers: Containers
let context: string
beforeAll(async () => {
  containers = await Containers.open()
  context = imagesOf(join(containers.dir, 'dist'))
}, 240_000)
afterAll(() => containers?.[Symbol.asyncDispose]())

const filesOf = async (slug: string): Promise<string[]> => {
  const dir = containers.rootOf(slug)
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(dir.length))
    .sort()
}

it('the Dockerfile copies what is there, for every function', async () => {
  for (const { name } of functions)
    for (const { instructions } of dockerfile.stages(new Map([['FUNCTION', name.slug]])))
      for (const { keyword, from, args } of instructions) {
        if (keyword !== 'COPY' || from !== undefined) continue
        for (const path of args.slice(0, -1))
          expect(await readdir(join(context, path)).catch(() => readFile(join(context, path)))).toBeDefined()
      }
})

describe.each(functions)('the image $name.slug', ({ name, declaration }: DiscoveredFunction) => {
  const { slug } = name
  /** The drivers that are scripts of their own. */
  const drivers = async () => (await filesOf(slug)).filter((file) => file.startsWith('/app/packages/'))

  it('holds what its function needs, and nothing else', async () => {
    const files = await filesOf(slug)
    const main = `/app/${bundleInImage}.cjs`
    const caches = [main, ...(await drivers())].map((file) =>
      file === main ? `${main}.cache` : `${main}.${file.split('/').at(-1)}.cache`,
    )
    expect(files).toEqual(expect.arrayContaining(['/app/start.cjs', main, ...caches]))
    const rest = files.filter(
      (file) =>
        !['/app/start.cjs', main, ...caches].includes(file) &&
        !file.startsWith('/app/packages/') &&
        !['/licenses/licenses.txt', '/licenses/sbom.cdx.json'].includes(file),
    )
    const kinds = [...new Set(rest.map((file) => file.split('/').slice(0, -1).join('/')))]
    const also = {
      'platform-docs': ['/app/function/assets'],
      'platform-initialize': ['/app/courses/migrations', '/app/students/migrations'],
    }[slug]
    expect(kinds).toEqual(also ?? [])
  })

  it('has no driver of a server that it never asks', async () => {
    const expected = [
      ...(name.service === 'courses' || declaration.trigger.kind === 'job'
        ? ['/app/packages/mongodb.cjs']
        : []),
      ...(['job', 'cron', 'stream'].includes(declaration.trigger.kind) ||
      declaration.needs.includes('writer' as never)
        ? ['/app/packages/nats.cjs']
        : []),
    ]
    expect(await drivers()).toEqual(expected)
    if (name.service !== 'students') return
    const all = await Promise.all(
      (await filesOf(slug))
        .filter((file) => file.endsWith('.cjs'))
        .map((file) => readFile(join(containers.rootOf(slug), file), 'latin1')),
    )
    expect(all.some((text) => text.includes('node_modules/mongodb/'))).toBe(false)
  })

  it('has a bill of materials, of just that, which the schema of CycloneDX accepts', async () => {
    const text = await readFile(join(containers.rootOf(slug), 'licenses/sbom.cdx.json'), 'utf8')
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text)).toBeNull()
    const { components, metadata, dependencies } = v.parse(billSchema, JSON.parse(text))
    expect(metadata.component.name).toBe(slug)
    const names = components.map(({ name }) => name)
    expect(names.includes('mongodb')).toBe(name.service === 'courses' || slug === 'platform-initialize')
    expect(names.includes('swagger-ui-dist')).toBe(slug === 'platform-docs')
    for (const tool of ['esbuild', 'vitest', 'typescript']) expect(names).not.toContain(tool)
    const node = components.find(({ type, name }) => type === 'platform' && name === 'node')
    expect([node?.version, node?.purl]).toEqual([
      process.versions.node,
      `pkg:generic/node@${process.versions.node}`,
    ])
    for (const { type, name, licenses, hashes, purl } of components) {
      if (type !== 'library') continue
      expect([name, licenses.length, hashes.length]).toEqual([name, 1, 1])
      expect(purl).toMatch(/^pkg:npm\//)
    }
    expect(dependencies.map(({ ref }) => ref)).toContain(slug)
    const postgres = components.find(({ name }) => name === 'postgres')
    if (postgres)
      expect(postgres.properties).toEqual([
        { name: 'registrar:patch', value: 'scripts/patches/postgres+3.4.9.patch' },
      ])
  })

  it('lists the licence of each of them', async () => {
    const dir = containers.rootOf(slug)
    const list = await readFile(join(dir, 'licenses/licenses.txt'), 'utf8')
    const { components } = v.parse(
      billSchema,
      JSON.parse(await readFile(join(dir, 'licenses/sbom.cdx.json'), 'utf8')),
    )
    for (const { type, group, name, version } of components)
      if (type === 'library')
        expect(list).toMatch(new RegExp(`^${group ? `${group}/` : ''}${name} ${version}: (?!not said)`, 'm'))
  })

  it('brings code caches that V8 takes', async () => {
    const dir = containers.rootOf(slug)
    const main = join(dir, `app/${bundleInImage}.cjs`)
    const scripts = [
      [main, `${main}.cache`],
      ...(await drivers()).map((file) => [join(dir, file), `${main}.${file.split('/').at(-1)}.cache`]),
    ]
    const flags = bundleArguments('', '').filter((one) => one.startsWith('--'))
    const { stdout } = await run(process.execPath, [...flags, '-e', rejected, JSON.stringify(scripts)])
    expect(stdout).toBe(scripts.map(() => 'false').join())
  })
})

/** As start.cjs loads them. */
const rejected = `
  const { readFileSync } = require('node:fs')
  const { Script } = require('node:vm')
  process.stdout.write(JSON.parse(process.argv[1]).map(([file, cache]) => new Script(
    '(function (exports, require, module, __filename, __dirname) {' + readFileSync(file, 'latin1') + '\\n})',
    { cachedData: readFileSync(cache) },
  ).cachedDataRejected).join())`

it('an image on call has its server beside the function', async () => {
  for (const { name, declaration } of functions) {
    if (declaration.trigger.kind !== 'job' && declaration.trigger.kind !== 'cron') continue
    const [own, called] = await Promise.all([filesOf(name.slug), filesOf(onCallSlug(name.slug))])
    expect(called).toEqual([...own, '/app/on-call.cjs'].sort())
  }
})

it('the image of the events holds what the framework loads, and no tool of ours', async () => {
  const files = await filesOf(eventsSlug)
  const folders = [...new Set(files.map((file) => file.split('/').slice(1, 3).join('/')))].sort()
  expect(folders).toEqual([
    ...['app/functions', 'app/node_modules', 'app/package.json', 'app/shared'],
    ...['licenses/licenses.txt', 'licenses/sbom.cdx.json'],
  ])
  expect(
    files.filter((file) => /\.test\.ts$|\/testing\/|\.d\.ts$|esbuild|vitest|typescript/.test(file)),
  ).toEqual([])
  const text = await readFile(join(containers.rootOf(eventsSlug), 'licenses/sbom.cdx.json'), 'utf8')
  expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text)).toBeNull()
  const { components } = v.parse(billSchema, JSON.parse(text))
  expect(components.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['functions-framework', 'express', 'nats']),
  )
})

it('a bill of materials names the Node that finishes the image, whichever made its folder', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'registrar-bill-'))
  const bills = [
    join(context, eventsSlug, 'licenses/sbom.cdx.json'),
    join(dir, 'licenses/sbom.cdx.json'),
  ] as const
  const made = await readFile(bills[0], 'utf8')
  await mkdir(join(dir, 'licenses'))
  await writeFile(bills[1], made.replaceAll(process.versions.node, '24.0.1'))
  await run(process.execPath, [join(import.meta.dirname, 'finish.cjs'), dir])
  expect(JSON.parse(await readFile(bills[1], 'utf8'))).toEqual(JSON.parse(made))
})

it('a list tells what each adds to its base', async () => {
  const slugs = functions.map(({ name }) => name.slug)
  const sizes = await sizesOf(context, slugs)
  for (const { slug, bundle, packages, total } of sizes) {
    expect([slug, bundle > 100_000, total > bundle + packages]).toEqual([slug, true, true])
    // What a node has to fetch for a function, beside the base that all share.
    expect(total).toBeLessThan(3_000_000)
  }
  const lines = sizeTable(sizes).trimEnd().split('\n')
  expect(lines.map((line) => line.split(/\s/)[0])).toEqual(['image', ...slugs])
  expect(new Set(lines.map((line) => line.length)).size).toBe(1)
})

const billSchema = v.object({
  metadata: v.object({ component: v.object({ name: v.string() }) }),
  components: v.array(
    v.object({
      type: v.string(),
      name: v.string(),
      group: v.optional(v.string()),
      version: v.optional(v.string()),
      purl: v.optional(v.string()),
      licenses: v.optional(v.array(v.unknown()), []),
      hashes: v.optional(v.array(v.unknown()), []),
      properties: v.optional(v.array(v.unknown()), []),
    }),
  ),
  dependencies: v.array(v.object({ ref: v.string() })),
})
