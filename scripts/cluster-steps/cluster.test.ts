import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { discoverFunctions } from '../../shared/spec/discover.ts'
import { documentsOf } from '../generate/knative/check/documents.ts'
import { build, withoutKubectl } from '../generate/knative/check/kustomize.ts'

/*
 * There is no Docker, minikube or kind where this runs: programs of their names write down what they are told. That each
 * object is accepted by its platform is seen by the tests of scripts/generate/knative; here, what is done and in which order.
 */
const root = join(import.meta.dirname, '../..')
const functions = await discoverFunctions(root)
let state: string
let bin: string
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'registrar-cluster-'))
  bin = join(state, 'bin')
  await mkdir(bin)
  for (const name of ['kubectl', 'helm', 'docker', 'kind', 'minikube', 'npm'])
    await symlink(join(import.meta.dirname, 'testing/tool'), join(bin, name))
})
afterEach(() => rm(state, { recursive: true, force: true }))

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly calls: readonly (readonly string[])[]
}

async function cluster(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  await rm(join(state, 'calls'), { force: true })
  const path = [bin, dirname(process.execPath), '/usr/bin', '/bin']
  const gateway = join(import.meta.dirname, 'testing/gateway.ts')
  const own = { TOOL_STATE: state, TOOL_GATEWAY: gateway, TOOL_CONTEXT: 'kind-kind' }
  const variables = { PATH: path.join(':'), ...own, ...env }
  const { code, out, err } = await new Promise<Omit<Ended, 'calls'>>((resolve) => {
    execFile(join(root, 'scripts/cluster'), args, { env: variables }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    )
  })
  const calls = await readFile(join(state, 'calls'), 'utf8').catch(() => '')
  return { code, out, err, calls: calls.split('\n').flatMap((line) => (line ? [line.split('\x1f')] : [])) }
}

/** Calls that change something. */
const changes = ({ calls }: Ended): string[] =>
  calls
    .map((call) => call.join(' '))
    .filter((call) => /( (apply|patch|delete|load|bake|build|upgrade|uninstall)\b)|^npm/.test(call))

const secretsThere = async (): Promise<Record<string, unknown>> => {
  const files = await readdir(join(state, 'secrets'))
  const read = async (file: string) => [
    file,
    JSON.parse(await readFile(join(state, 'secrets', file), 'utf8')).stringData,
  ]
  return Object.fromEntries(await Promise.all(files.map(read)))
}

describe('scripts/cluster up', () => {
  it('goes from an empty kind to the first answer, every call to the one context', async () => {
    const ended = await cluster(['up'])
    expect([ended.code, ended.err]).toEqual([0, ''])
    const titles = ended.out.split('\n').flatMap((line) => /^✓ (.*?) {2,}/.exec(line)?.[1] ?? [])
    expect(titles.map((title) => title.replace(/ \d+\..*/, ''))).toEqual([
      ...['images', 'Knative', 'Kourier', 'KEDA', 'secrets', 'Kong', 'servers', 'initializer', 'functions'],
      ...['routes', 'first 200'],
    ])
    for (const [program, first, context] of ended.calls) {
      if (program === 'kubectl' && !['config', 'version'].includes(first ?? ''))
        expect([first, context]).toEqual(['--context', 'kind-kind'])
      if (program === 'helm' && first !== 'version')
        expect([first, context]).toEqual(['--kube-context', 'kind-kind'])
    }
    const load = ended.calls.find(([program]) => program === 'kind')
    expect(load?.slice(1, 5)).toEqual(['load', 'docker-image', '--name', 'kind'])
    expect(load?.slice(5)).toEqual(functions.map(({ name }) => `dev.local/registrar-${name.slug}:dev`))
    expect(ended.out).toMatch(/API key: k[0-9a-f]{36}\n/)
  })

  it('makes every Secret that the functions, the servers and Kong read, and tells no password as an argument', async () => {
    const ended = await cluster(['up'])
    const there = await secretsThere()
    expect(Object.keys(there).sort()).toEqual([
      'kong.registrar-redis',
      ...['mongodb-password', 'nats-password', 'postgres-password', 'redis-password'].map(
        (one) => `registrar.${one}`,
      ),
      ...['api-key', 'cache', 'courses-db', 'events', 'roles', 'students-db'].map(
        (one) => `registrar.registrar-${one}`,
      ),
    ])
    const passwords = Object.values(there).map((data) => /k[0-9a-f]{36}/.exec(JSON.stringify(data))?.[0])
    expect(new Set(passwords).size).toBe(6)
    expect(there['registrar.registrar-cache']).toEqual({ url: `redis://:${passwords[0]}@redis:6379` })
    expect(there['registrar.nats-password']).toMatchObject({
      'authorization.conf': expect.stringMatching(/user: "students-enrol", password: p[0-9a-f]{48}\n/),
    })
    expect(there['registrar.registrar-students-db']).toMatchObject({
      'students-get': expect.stringMatching(
        /^postgres:\/\/registrar\.students-get:p[0-9a-f]{48}@postgres:5432\/registrar$/,
      ),
    })
    for (const password of passwords) expect(JSON.stringify(ended.calls)).not.toContain(password)
  })

  it('run again does the same, and keeps the Secrets', async () => {
    const first = await cluster(['up'])
    const before = await secretsThere()
    const second = await cluster(['up'])
    expect(second.code).toBe(0)
    expect(await secretsThere()).toEqual(before)
    // But for the key of the API, which is there.
    expect(new Set(changes(second))).toEqual(new Set(changes(first)))
    expect(changes(second).length).toBeLessThan(changes(first).length)
  })

  it('goes on where it stopped', async () => {
    await writeFile(join(state, 'fails'), 'kong/kic')
    const stopped = await cluster(['up'])
    expect(stopped.code).toBe(1)
    expect(stopped.err).toContain('ended with 7:\nthis is what it says when it fails')
    expect(stopped.out).toContain('✓ functions')
    await rm(join(state, 'fails'))
    expect((await cluster(['up'])).code).toBe(0)
  })

  it('stops where the initializer has failed, with what it said', async () => {
    const ended = await cluster(['up'], { TOOL_JOB: 'Failed' })
    expect(ended.code).toBe(1)
    expect(ended.err).toBe(
      'job/platform-initialize-new has failed:\nthis is what logs job/platform-initialize-new said\n',
    )
    expect(ended.out).not.toContain('✓ functions')
  })

  it('waits for a Kong whose pods are still to start', async () => {
    const ended = await cluster(['up'], { TOOL_PENDING: '1' })
    expect([ended.code, ended.err]).toEqual([0, ''])
    expect(ended.calls.filter((call) => call.includes('port-forward'))).toHaveLength(2)
  })

  it('has Kong and its controller in the versions of the one file', async () => {
    const { calls } = await cluster(['up'])
    const install = calls.find((call) => call.includes('upgrade')) ?? []
    const set = install.filter((_, i) => install[i - 1] === '--set-string')
    expect(set).toEqual([
      expect.stringMatching(/^gateway\.image\.tag=3\.\d+\.\d+$/),
      expect.stringMatching(/^controller\.ingressController\.image\.tag=3\.\d+\.\d+$/),
    ])
    expect(await readFile(join(import.meta.dirname, 'kong-values.yaml'), 'utf8')).not.toMatch(/\d+\.\d+\.\d+/)
  })

  it('gives minikube its images by minikube, and with --no-images none', async () => {
    const minikube = await cluster(['up'], { TOOL_CONTEXT: 'minikube' })
    expect(minikube.calls.find(([program]) => program === 'minikube')?.slice(1, 5)).toEqual([
      ...['--profile', 'minikube', 'image', 'load'],
    ])
    const without = await cluster(['up', '--no-images'])
    expect(without.code).toBe(0)
    expect(without.calls.filter(([program]) => /docker|kind|npm/.test(program ?? ''))).toEqual([])
  })

  it.each([
    [{ TOOL_CONTEXT: 'production' }, 'The context production is neither kind nor minikube'],
    [{ TOOL_CONTEXT: '' }, 'There is no cluster: run `minikube start'],
    [{ TOOL_MINOR: '31' }, 'The cluster is Kubernetes 1.31: Knative 1.23.0 needs 1.34.'],
  ])('changes nothing with %o', async (env, said) => {
    const ended = await cluster(['up'], env)
    expect([ended.code, changes(ended)]).toEqual([1, []])
    expect(ended.err).toContain(said)
  })

  it('says which tool is missing', async () => {
    await rm(join(bin, 'helm'))
    const ended = await cluster(['up'])
    expect([ended.code, changes(ended), ended.err]).toEqual([1, [], 'helm cannot be found on the PATH.\n'])
  })
})

it('scripts/cluster down removes what up brought, in the other order', async () => {
  const ended = await cluster(['down'])
  expect([ended.code, ended.err]).toEqual([0, ''])
  const removed = changes(ended)
  const at = (part: string): number => removed.findIndex((call) => call.includes(part))
  const order = [
    'scaledobjects',
    'namespace registrar',
    'uninstall kong',
    'keda-',
    'kourier.yaml',
    'serving-core',
    'serving-crds',
  ]
  expect(order.map(at).every((index) => index >= 0)).toBe(true)
  expect(order.map(at)).toEqual(order.map(at).toSorted((a, b) => a - b))
})

it.skipIf(withoutKubectl)('scripts/cluster down leaves nothing that is in no namespace', async () => {
  const removed = (await cluster(['down'])).calls.filter((call) => call.includes('delete'))
  const isRemoved = (kind: string, name: string): boolean =>
    removed.some(
      (call) =>
        call.some((word) => word.split(/[,.]/).includes(`${kind.toLowerCase()}s`)) &&
        (call.includes(name) || call.includes('--all')),
    )
  const isNamespace = (kind: string, name: string): boolean =>
    removed.some((call) => kind === 'Namespace' && call.join(' ').endsWith(` namespace ${name}`))
  const manifests = [
    ...documentsOf(await build('knative/overlays/local')),
    ...documentsOf(await build('kong/kic')),
  ]
  const wide = manifests.filter(({ metadata }) => metadata && !('namespace' in metadata))
  expect(wide.map(({ kind }) => kind)).toContain('ClusterRole')
  const left = wide.map(({ kind, metadata }) => [kind, metadata?.name ?? ''] as const)
  expect(left.filter(([kind, name]) => !isRemoved(kind, name) && !isNamespace(kind, name))).toEqual([])
  // Types that Helm leaves; of others none.
  const types = removed.flatMap((call) => call.filter((word) => word.startsWith('customresourcedefinition')))
  expect(types).toEqual([
    'customresourcedefinition.apiextensions.k8s.io/kongplugins.configuration.konghq.com',
  ])
})

it('says how it is used, and takes nothing else', async () => {
  expect(await cluster(['--help'])).toMatchObject({
    code: 0,
    out: expect.stringContaining('usage: scripts/cluster up'),
  })
  for (const args of [[], ['sideways'], ['up', 'down']]) expect((await cluster(args)).code).toBe(2)
  expect(await cluster(['up', '--fast'])).toMatchObject({ code: 1, err: expect.stringContaining('--fast') })
})
