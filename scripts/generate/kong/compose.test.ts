import { execFileSync, spawnSync } from 'node:child_process'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { backingOf } from '../../../shared/spec/backing.ts'
import { discoverFunctions } from '../../../shared/spec/discover.ts'
import { versions } from '../../cluster-steps/versions.ts'
import { readDockerfile } from '../../images/dockerfile.ts'
import { versionOf } from '../../images/version.ts'
import { at } from '../knative/check/at.ts'
import { overlay, withoutKubectl } from '../knative/check/kustomize.ts'
import { containersOf, podsOf } from '../knative/check/pods.ts'

interface Service {
  readonly image?: string
  readonly user?: string
  readonly restart?: string
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly build?: { readonly context: string; readonly args: Readonly<Record<string, string>> }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly networks?: readonly string[]
  readonly network_mode?: string
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly command?: readonly string[]
  readonly mem_limit?: string
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>
  readonly volumes: Readonly<Record<string, unknown>>
}

const root = join(import.meta.dirname, '../../..')
const text = await readFile(join(root, 'kong/compose.yaml'), 'utf8')
const file: Compose = parse(text)
const services = Object.entries(file.services)
const functions = await discoverFunctions(root)
const dockerfile = await readDockerfile()
const version = await versionOf(root)

test('is what the Compose specification takes', async () => {
  // Of compose-go v2.16.2, the parser of docker compose (Apache 2.0): schema/compose-spec.json.
  const schema = JSON.parse(await readFile(join(import.meta.dirname, 'testing/compose-spec.json'), 'utf8'))
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  formats.default(ajv)
  ajv
    .addFormat('ports', true)
    .addFormat('expose', true)
    .addFormat('duration', true)
    .addFormat('subnet_ip_address', true)
  const valid = ajv.compile(schema)
  expect(valid(file), JSON.stringify(valid.errors)).toBe(true)
  expect(valid({ services: { a: { imagine: 'x' } } })).toBe(false)
})

test.skipIf(withoutKubectl)(
  'has its servers in the versions that a cluster has',
  async () => {
    const split = (image: string): [name: string, tag: string] => {
      const at = image.lastIndexOf(':')
      // What else is in an image is not its version.
      return [image.slice(0, at), image.slice(at + 1).replace(/-alpine$/, '')]
    }
    const images = podsOf(await overlay('local')).flatMap(containersOf)
    const onCluster = new Map(images.map((container) => split(String(at(container, 'image')))))
    onCluster.set('kong', versions.kong)
    const shared = services.flatMap(([, { image = '' }]) => {
      const [name, tag] = split(image)
      return onCluster.has(name) ? [[name, tag]] : []
    })
    expect(shared.map(([name]) => name)).toEqual(
      expect.arrayContaining(['kong', 'postgres', 'mongo', 'redis', 'nats']),
    )
    expect(shared).toEqual(shared.map(([name = '']) => [name, onCluster.get(name)]))
  },
  60_000,
)

test('names only what there is: services, networks, volumes, files', async () => {
  for (const [
    name,
    { depends_on: needed = {}, networks = [], volumes = [], network_mode: mode },
  ] of services) {
    for (const [other, { condition }] of Object.entries(needed)) {
      expect(file.services, `${name} needs ${other}`).toHaveProperty([other])
      if (condition === 'service_healthy') expect(file.services[other]?.healthcheck, other).toBeDefined()
      if (condition === 'service_completed_successfully') expect(file.services[other]?.restart).toBe('no')
    }
    for (const network of networks) expect(file.networks, name).toHaveProperty([network])
    expect(networks.length > 0 || mode === 'none', name).toBe(true)
    for (const volume of volumes) {
      const [from = ''] = volume.split(':')
      if (from.startsWith('.')) {
        await access(join(root, 'kong', from))
        expect(volume, name).toMatch(/:ro$/)
      } else expect(file.volumes, name).toHaveProperty([from])
    }
  }
})

test('every variable is in the example of the secrets, which has no secret', async () => {
  const example = await readFile(join(root, 'kong/.env.example'), 'utf8')
  const told = new Set([...example.matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name))
  const used = new Set([...text.matchAll(/(?<!\$)\$\{([A-Z_]+)/g)].map(([, name]) => name))
  expect([...told].sort()).toEqual([...used].sort())
})

describe.each(services)('%s', (name, service) => {
  test('is confined', () => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      mem_limit: expect.stringMatching(/^\d+m$/),
    })
    // One gives folders to their users, and ends.
    if (name === 'volumes') expect([service.restart, service.network_mode]).toEqual(['no', 'none'])
    else expect(service.user).toMatch(/^(kong|[1-9]\d*:\d+)$/)
    expect(service.restart).toBe(
      name === 'volumes' || name === 'platform-initialize' ? 'no' : 'unless-stopped',
    )
  })

  test('is seen on loopback at most', () => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/)
  })

  test('is of one version', () => {
    if (!service.build) expect(service.image).toMatch(/^[a-z./\d_-]+:v?\d+\.\d+[\w.-]*$/)
  })
})

describe.each(functions)('$name.slug', ({ name, declaration }) => {
  const service = file.services[name.slug]
  const { kind } = declaration.trigger

  test('has the URLs that it needs, and no others', () => {
    const urls = Object.keys(service?.environment ?? {}).filter((one) => !one.startsWith('OTEL_'))
    const provisions = declaration.needs.includes('provisioners') ? ['ROLES_KEY'] : []
    expect(urls.sort()).toEqual([...backingOf(name, declaration), ...provisions].sort())
    if (urls.includes('COURSES_URL')) expect(service?.environment?.['COURSES_URL']).toMatch(/^mongodb:/)
  })

  test('is built by its name, starts behind the initializer, and is asked how it is', () => {
    expect(service?.image).toBe(`registrar/${name.slug}${kind === 'cron' ? '-on-call' : ''}`)
    expect(service?.build?.context).toBe('../dist/images')
    // As a build of these arguments makes it: what the Dockerfile does not know changes nothing.
    const { Labels, Entrypoint } = dockerfile.config(new Map(Object.entries(service?.build?.args ?? {})))
    expect(Labels['registrar.function']).toBe(name.slug)
    expect(Labels['org.opencontainers.image.version']).toBe(version)
    expect(Entrypoint.includes('/app/on-call.cjs')).toBe(kind === 'cron')
    if (kind === 'job') return
    expect(service?.depends_on).toEqual({
      'platform-initialize': { condition: 'service_completed_successfully' },
    })
    expect(service?.healthcheck?.test.join(' ')).toContain('/_/ready')
  })

  test('can be reached by who calls it', () => {
    const called = ['http', 'grpc', 'cron'].includes(kind)
    expect(service?.networks).toEqual(called ? ['functions', 'servers'] : ['servers'])
  })
})

const docker = spawnSync('docker', ['compose', 'version']).status === 0
if (!docker)
  console.warn(
    'SKIPPED: no docker compose here, so compose.yaml is checked by the specification’s schema alone',
  )
test.skipIf(!docker)('docker compose takes it', async () => {
  const example = await readFile(join(root, 'kong/.env.example'), 'utf8')
  const env = Object.fromEntries(
    [...example.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => [name, 'a-secret-of-tests']),
  )
  execFileSync('docker', ['compose', '-f', 'kong/compose.yaml', 'config', '--quiet'], {
    cwd: root,
    env: { ...process.env, ...env },
  })
})
