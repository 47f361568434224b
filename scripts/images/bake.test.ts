import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from '@cdktn/hcl2json'
import * as v from 'valibot'
import { expect, it } from 'vitest'
import { discoverFunctions } from '../../shared/spec/discover.ts'
import { onPath } from '../engines/find.ts'
import { bake } from './bake.ts'
import { readDockerfile } from './dockerfile.ts'
import { versionOf } from './version.ts'

const root = join(import.meta.dirname, '../..')
const functions = await discoverFunctions(root)
const version = await versionOf(root)
const text = bake(version, functions)
const slugs = functions.map(({ name }) => name.slug)
const called = functions
  .filter(({ declaration: { trigger } }) => trigger.kind === 'job' || trigger.kind === 'cron')
  .map(({ name }) => name.slug)

const one = <T extends v.GenericSchema>(schema: T) => v.pipe(v.array(schema), v.length(1))
/** What HashiCorp's own parser makes of the file: blocks by their labels. */
const bakeFile = v.object({
  variable: v.record(v.string(), one(v.object({ default: v.string() }))),
  group: v.record(v.string(), one(v.object({ targets: v.array(v.string()) }))),
  target: v.record(
    v.string(),
    one(
      v.object({
        inherits: v.optional(v.array(v.string())),
        context: v.optional(v.string()),
        args: v.record(v.string(), v.string()),
        tags: v.optional(v.array(v.string())),
      }),
    ),
  ),
})

it('is in the tree as it is generated', () => {
  expect(readFileSync(join(root, 'docker-bake.hcl'), 'utf8')).toBe(text)
})

it('is HCL with a target for every function, all of them by default', async () => {
  const { group, target, variable } = v.parse(bakeFile, await parse('docker-bake.hcl', text))
  expect(group['default']?.[0]?.targets).toEqual(slugs)
  expect(group['on-call']?.[0]?.targets).toEqual(called.map((slug) => `${slug}-on-call`))
  expect(Object.keys(target).sort()).toEqual(
    ['_image', 'events', ...slugs, ...called.map((slug) => `${slug}-on-call`)].sort(),
  )
  expect(variable['VERSION']?.[0]?.default).toBe(version)
  const common = target['_image']?.[0]
  const dockerfile = await readDockerfile()
  for (const [name, [own]] of Object.entries(target)) {
    if (name === '_image') continue
    expect(own?.inherits).toEqual(['_image'])
    expect(own?.tags).toEqual([`\${REGISTRY}/registrar-${name}:\${TAG}`])
    // Every argument is one that the Dockerfile takes, and none that it needs is missing.
    const args = { ...common?.args, ...own?.args }
    const { Labels } = dockerfile.config(new Map(Object.entries(args)))
    expect(Labels['registrar.function']).toBe(name.replace(/-on-call$/, ''))
  }
})

const docker = onPath('docker')
const buildx = onPath('buildx')
const command =
  buildx === undefined
    ? docker !== undefined && works(docker, 'buildx', 'version')
      ? [docker, 'buildx']
      : undefined
    : [buildx]
if (!command)
  process.stderr.write(
    '\ndocker-bake.hcl: docker buildx DID NOT CHECK IT, for it is not here; a parser of HCL did\n\n',
  )

it.skipIf(!command)('is what docker buildx bake reads', () => {
  const [file = '', ...args] = command ?? []
  const printed = execFileSync(file, [...args, 'bake', 'default', 'on-call', 'events', '--print'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, REGISTRY: 'ghcr.io/somebody', TAG: '1.2.3', REVISION: 'abc' },
  })
  const { target } = v.parse(
    v.object({
      target: v.record(
        v.string(),
        v.object({
          context: v.literal('dist/images'),
          dockerfile: v.literal('Dockerfile'),
          args: v.record(v.string(), v.string()),
          tags: v.array(v.string()),
        }),
      ),
    }),
    JSON.parse(printed),
  )
  expect(Object.keys(target).length).toBe(slugs.length + called.length + 1)
  expect(target['students-get']).toMatchObject({
    args: { FUNCTION: 'students-get', REVISION: 'abc', VERSION: version },
    tags: ['ghcr.io/somebody/registrar-students-get:1.2.3'],
  })
})

function works(file: string, ...args: string[]): boolean {
  try {
    execFileSync(file, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
