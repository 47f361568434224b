import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { discoverFunctions } from '../../../shared/spec/discover.ts'
import { at, objectAt } from './check/at.ts'
import { documentsOf, problemsOf } from './check/documents.ts'
import { overlay, withoutKubectl } from './check/kustomize.ts'
import { opened } from './check/network.ts'
import { containersOf, type Pod, podsOf, secretsOf } from './check/pods.ts'
import { type Path, pathOf } from './check/problem.ts'
import type { Manifest } from './manifest.ts'

const root = join(import.meta.dirname, '../../..')
const folder = join(root, 'knative')
const functions = await discoverFunctions(root)
const names = await readdir(join(folder, 'overlays'))
const example = documentsOf(await readFile(join(folder, 'base/secrets.example.yaml'), 'utf8'))

const isFunction = ({ labels }: Pod): boolean =>
  functions.some(({ name }) => name.slug === labels['app.kubernetes.io/name'])
const find = (manifests: readonly Manifest[], kind: string, name: string): Manifest | undefined =>
  manifests.find((one) => one.kind === kind && one.metadata?.name === name)
const imagesOf = (manifests: readonly Manifest[]): string[] =>
  podsOf(manifests)
    .filter(isFunction)
    .flatMap(containersOf)
    .map((container) => String(at(container, 'image')))

/** Whose keys are anybody's. */
const maps = /^(labels|annotations|matchLabels|limits|requests|data|stringData|attributes)$/

/** Where the objects of an object are, but those that are maps; of a scaler's parameters a rule says more. */
function placesIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return []
  if (maps.test(String(path.at(-1))) && !Array.isArray(value)) return []
  if (path.includes('triggers') && path.at(-1) === 'metadata') return []
  const inside = Object.entries(value).flatMap(([key, one]) =>
    placesIn(one, [...path, Array.isArray(value) ? Number(key) : key]),
  )
  return Array.isArray(value) ? inside : [path, ...inside]
}

function objectIn(manifest: object, path: Path): object {
  const found = at(manifest, ...path)
  if (typeof found !== 'object' || found === null) throw new Error(`nothing at ${pathOf(path)}`)
  return found
}

/** `secret/key` of every Secret that is made. */
function made(manifests: readonly Manifest[]): string[] {
  return manifests.flatMap((one) => {
    if (one.kind === 'Secret')
      return Object.keys(objectAt(one, 'stringData')).map((key) => `${one.metadata?.name}/${key}`)
    const data = at(one, 'spec', 'data')
    if (one.kind !== 'ExternalSecret' || !Array.isArray(data)) return []
    return data.map((entry) => `${at(one, 'spec', 'target', 'name')}/${at(entry, 'secretKey')}`)
  })
}

describe.skipIf(withoutKubectl)('the overlays', () => {
  const built = new Map<string, Manifest[]>()
  const objects = (name: string): Manifest[] => built.get(name) ?? []
  beforeAll(async () => {
    for (const name of names) built.set(name, await overlay(name))
  })

  it.each(names)('%s is built without a warning, and passes the schemas', async (name) => {
    expect(objects(name).length).toBeGreaterThan(functions.length)
    for (const manifest of objects(name)) {
      const { kind, metadata } = manifest
      expect([kind, metadata?.name, await problemsOf(manifest)]).toEqual([kind, metadata?.name, []])
      // kubectl apply keeps a copy in an annotation, and all of those may have 256 KB.
      expect([metadata?.name, JSON.stringify(manifest).length < 250_000]).toEqual([metadata?.name, true])
    }
  })

  it('a field that there is not is seen wherever it is put', async () => {
    const everything = ['local', 'eventing', 'external-secrets'].flatMap(objects)
    const kinds = new Map(everything.map((one) => [`${one.kind} of ${one.apiVersion}`, one]))
    const unseen: unknown[] = []
    for (const [kind, manifest] of kinds) {
      for (const path of placesIn(manifest)) {
        // The one selector that is labels and nothing around them.
        if (kind === 'Service of v1' && path.at(-1) === 'selector') continue
        const mistaken: Manifest = structuredClone(manifest)
        Object.assign(objectIn(mistaken, path), { mistake: 'here' })
        const expected = { path: pathOf([...path, 'mistake']), text: 'there is no such field' }
        const found = await problemsOf(mistaken)
        if (!isDeepStrictEqual(found, [expected])) unseen.push([kind, expected.path, found])
      }
    }
    expect(unseen).toEqual([])
    expect(kinds.size).toBeGreaterThan(12)
  })

  it.each(names)('%s has every object in the namespace of the functions, or in one of its own', (name) => {
    const namespaces = new Set(
      objects(name)
        .filter(({ kind }) => !/^(Namespace|Cluster)/.test(kind))
        .map((one) => at(one, 'metadata', 'namespace')),
    )
    expect([...namespaces].filter((one) => !/^registrar(-\w+)?$/.test(String(one)))).toEqual([])
  })

  it.each(names)('%s has one instance of every function, under an account of its own', (name) => {
    const pods = podsOf(objects(name)).filter(isFunction)
    expect(pods.map(({ labels }) => labels['app.kubernetes.io/name']).toSorted()).toEqual(
      functions.map((found) => found.name.slug),
    )
    for (const { spec } of pods) {
      const account = find(objects(name), 'ServiceAccount', String(at(spec, 'serviceAccountName')))
      expect(at(account, 'automountServiceAccountToken')).toBe(false)
    }
  })

  it.each(names)('every Secret that %s refers to is known: by the example, or made by it', (name) => {
    const all = podsOf(objects(name))
    const referred = new Set(all.flatMap((pod) => secretsOf(pod)))
    const needed = new Set(all.flatMap((pod) => secretsOf(pod, { optional: false })))
    const known = ['external-secrets', 'lab'].includes(name) ? made(objects(name)) : made(example)
    expect([...(name === 'lab' ? needed : referred)].filter((one) => !known.includes(one))).toEqual([])
    // What a store is asked for is what somebody reads.
    if (name === 'external-secrets') expect(known.toSorted()).toEqual([...referred].toSorted())
  })

  it.each(names)('every setting that %s refers to may be missing, and none is unknown', (name) => {
    const settings = objectAt(find(objects(name), 'ConfigMap', 'registrar-settings'), 'data')
    const optional = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT']
    for (const pod of podsOf(objects(name)).filter(isFunction))
      for (const container of containersOf(pod))
        for (const { valueFrom } of [at(container, 'env') ?? []].flat().map((one) => objectAt(one))) {
          const reference = objectAt(valueFrom, 'configMapKeyRef')
          if (reference['key'] === undefined) continue
          expect(reference).toMatchObject({ name: 'registrar-settings', optional: true })
          expect([...Object.keys(settings), ...optional]).toContain(reference['key'])
        }
  })

  it("only a release changes images, and the name of the initializer's Job with them", () => {
    const slugs = (registry: string, tag: string) =>
      functions.map(({ name }) => `${registry}/registrar-${name.slug}:${tag}`)
    const expected = {
      local: ['dev.local', 'dev'],
      lab: ['dev.local', 'v1'],
      production: ['registry.example.org/registrar', 'release-1'],
    } as const
    for (const [name, [registry, tag]] of Object.entries(expected)) {
      expect(imagesOf(objects(name)).toSorted()).toEqual(slugs(registry, tag))
      const jobs = objects(name).filter(({ kind }) => kind === 'Job')
      expect(jobs.map(({ metadata }) => metadata?.name)).toEqual([
        expect.stringMatching(new RegExp(`^platform-initialize-[0-9a-f]{8}-${tag}$`)),
      ])
    }
  })

  it('monitored has the check for drift of the same release, the exporter that alerts ask, and a receiver', () => {
    const manifests = objects('monitored')
    const check = podsOf(manifests).find(({ owner }) => owner === 'CronJob/platform-drift')
    expect(check && containersOf(check).map((one) => at(one, 'image'))).toEqual([
      'registry.example.org/registrar/registrar-platform-initialize:release-1',
    ])
    for (const [kind, name] of [
      ['PodMonitor', 'registrar-exporters'],
      ['PodMonitor', 'registrar-kong'],
      ['PrometheusRule', 'registrar'],
      ['Deployment', 'nats-exporter'],
    ] as const)
      expect([name, find(manifests, kind, name)?.kind]).toEqual([name, kind])
    const exporter = podsOf(manifests).find(({ owner }) => owner === 'Deployment/nats-exporter')
    const ways = (['ingress', 'egress'] as const).map((way) => exporter && opened(manifests, exporter, way))
    expect(ways).toEqual([
      ['prometheus/registrar|registrar-observability|monitoring:7777'],
      ['kube-system:53', 'nats:8222'],
    ])
    const settings = objectAt(find(manifests, 'ConfigMap', 'registrar-settings'), 'data')
    expect(settings).toMatchObject({
      STREAM_REPLICAS: '3',
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: expect.stringMatching(
        /^http:\/\/[a-z-]+\.monitoring:9090\/api\/v1\/otlp\//,
      ),
    })
  })

  it.each(['local', 'production', 'monitored'])(
    'pods of %s get into a namespace that restricts them',
    (name) => {
      const namespace = find(objects(name), 'Namespace', 'registrar')
      expect(objectAt(namespace, 'metadata', 'labels')['pod-security.kubernetes.io/enforce']).toBe(
        'restricted',
      )
      const inside = objects(name).filter((one) => at(one, 'metadata', 'namespace') === 'registrar')
      for (const pod of podsOf(inside))
        for (const container of containersOf(pod)) {
          const context = {
            ...objectAt(pod.spec, 'securityContext'),
            ...objectAt(container, 'securityContext'),
          }
          expect(context).toMatchObject({
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
            readOnlyRootFilesystem: true,
            runAsNonRoot: true,
            seccompProfile: { type: 'RuntimeDefault' },
          })
          expect(at(container, 'resources', 'limits', 'memory')).toBeDefined()
          expect(String(at(container, 'image'))).toMatch(/[^:/]+:[^:/]+$/)
          expect(String(at(container, 'image'))).not.toMatch(/:latest$/)
        }
    },
  )

  it('production has three servers of NATS, and streams on as many', () => {
    const sets = objects('production').filter(({ kind }) => kind === 'StatefulSet')
    expect(sets.map((one) => [one.metadata?.name, at(one, 'spec', 'replicas')])).toEqual([['nats', 3]])
    const settings = find(objects('production'), 'ConfigMap', 'registrar-settings')
    expect(at(settings, 'data', 'STREAM_REPLICAS')).toBe('3')
    const budget = find(objects('production'), 'PodDisruptionBudget', 'nats')
    expect(at(budget, 'spec', 'maxUnavailable')).toBe(1)
    const config = String(at(find(objects('production'), 'ConfigMap', 'nats-config'), 'data', 'nats.conf'))
    for (const server of ['nats-0', 'nats-1', 'nats-2'])
      expect(config).toContain(`//${server}.nats-headless:6222`)
  })

  it('KEDA asks the NATS that is there', () => {
    for (const [name, host] of Object.entries({
      local: 'nats-headless.registrar.svc.cluster.local:8222',
      production: 'nats-headless.registrar.svc.cluster.local:8222',
      lab: 'nats.nats.svc.cluster.local:8222',
    })) {
      const endpoints = objects(name)
        .filter(({ kind }) => kind === 'ScaledObject')
        .map((one) => at(one, 'spec', 'triggers', 0, 'metadata', 'natsServerMonitoringEndpoint'))
      expect(new Set(endpoints)).toEqual(new Set([host]))
    }
  })

  it('eventing calls every stream function by a Trigger, and has nothing that pulls', () => {
    const kinds = objects('eventing').map(({ kind }) => kind)
    expect(kinds).not.toContain('ScaledObject')
    expect(kinds).not.toContain('Deployment')
    const streams = functions.filter(({ declaration }) => declaration.trigger.kind === 'stream')
    const triggers = objects('eventing').filter(({ kind }) => kind === 'Trigger')
    expect(triggers.map(({ metadata }) => metadata?.name)).toEqual(streams.map(({ name }) => name.slug))
    for (const trigger of triggers)
      expect(find(objects('eventing'), 'Broker', String(at(trigger, 'spec', 'broker')))).toBeDefined()
  })
})
