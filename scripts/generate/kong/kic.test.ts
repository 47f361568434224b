import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1'
import { Service } from 'kubernetes-models/v1'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { documentsOf } from '../knative/check/documents.ts'
import { build, withoutKubectl } from '../knative/check/kustomize.ts'
import { pluginProblems } from './testing/schema.ts'

const root = join(import.meta.dirname, '../../..')
const folder = join(root, 'kong/kic')

// As the ingress controller 3.5 has them: config/crd/ingress-controller of github.com/Kong/kubernetes-configuration, and
// the annotations that its documentation names. No package has Kong's schemas; Kubernetes' own are of kubernetes-models.
const dnsName = v.pipe(v.string(), v.regex(/^[a-z\d]([-a-z\d]{0,61}[a-z\d])?$/))
const digits = v.pipe(v.string(), v.regex(/^\d+$/))
const metadata = v.strictObject({
  name: dnsName,
  namespace: v.literal('registrar'),
  annotations: v.optional(v.record(v.string(), v.string())),
})
const plugin = { config: v.record(v.string(), v.unknown()), plugin: v.string() }
const apiVersion = v.literal('configuration.konghq.com/v1')
const kong = v.variant('kind', [
  v.strictObject({ apiVersion, kind: v.literal('KongPlugin'), metadata, ...plugin }),
  v.strictObject({
    apiVersion,
    kind: v.literal('KongClusterPlugin'),
    metadata: v.strictObject({
      name: dnsName,
      labels: v.strictObject({ global: v.literal('true') }),
      annotations: v.strictObject({ 'kubernetes.io/ingress.class': v.literal('kong') }),
    }),
    ...plugin,
  }),
  v.strictObject({
    apiVersion,
    kind: v.literal('KongConsumer'),
    metadata,
    username: v.string(),
    credentials: v.array(dnsName),
  }),
])
const serviceAnnotations = v.strictObject({
  'konghq.com/host-header': v.pipe(v.string(), v.regex(/^[a-z-]+\.registrar\.svc\.cluster\.local$/)),
  'konghq.com/protocol': v.literal('http'),
  'konghq.com/connect-timeout': digits,
  'konghq.com/read-timeout': digits,
  'konghq.com/write-timeout': digits,
  'konghq.com/retries': digits,
})
const ingressAnnotations = v.strictObject({
  'konghq.com/methods': v.optional(v.pipe(v.string(), v.regex(/^[A-Z]+(,[A-Z]+)*$/))),
  'konghq.com/strip-path': v.literal('false'),
  'konghq.com/preserve-host': v.literal('false'),
  'konghq.com/regex-priority': digits,
  'konghq.com/plugins': v.optional(v.string()),
})

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> }
  readonly [field: string]: unknown
}

const files = (await readdir(folder)).sort()
const manifests: Manifest[] = (await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8'))))
  .flatMap((text) => parseAllDocuments(text).map((document) => document.toJS({})))
  .filter(({ kind }) => kind !== 'Kustomization')
const of = (kind: string): Manifest[] => manifests.filter((one) => one.kind === kind)

/** Of kong.yml, which its own test holds against the local gateway. */
const declared = parse(await readFile(join(root, 'kong/kong.yml'), 'utf8'))

test('every object is of its kind, and of no other field', () => {
  for (const manifest of manifests) {
    const { name } = manifest.metadata
    if (manifest.kind === 'Service') {
      new Service(manifest as never).validate()
      expect(() => v.parse(serviceAnnotations, manifest.metadata.annotations), name).not.toThrow()
    } else if (manifest.kind === 'Ingress') {
      new Ingress(manifest as never).validate()
      expect(() => v.parse(ingressAnnotations, manifest.metadata.annotations), name).not.toThrow()
    } else {
      expect(v.safeParse(kong, manifest).issues, name).toBeUndefined()
      if ('plugin' in manifest)
        expect(pluginProblems(String(manifest['plugin']), manifest['config'])).toEqual([])
    }
  }
})

test('the schemas refuse what is wrong', () => {
  const [ingress] = of('Ingress')
  expect(() =>
    new Ingress({ ...ingress, spec: { rules: [{ http: { paths: [{}] } }] } } as never).validate(),
  ).toThrow()
  const [consumer] = of('KongConsumer')
  expect(v.safeParse(kong, { ...consumer, credential: [] }).success).toBe(false)
  expect(v.safeParse(kong, { ...of('KongPlugin')[0], configuration: {} }).success).toBe(false)
  expect(pluginProblems('key-auth', { key_name: 'x' })).not.toEqual([])
  expect(pluginProblems('rate-limit', {})).not.toEqual([])
})

test('there is an Ingress for each route of kong.yml, with its path, methods, priority and plugins', () => {
  const shapes = [
    ...declared.services.flatMap((one: { routes: object[] }) => one.routes),
    ...declared.routes,
  ].map((route) => ({
    name: route.name,
    path: `/${route.paths[0]}`,
    methods: route.methods?.join(','),
    priority: String(route.regex_priority),
    keyed: (route.plugins ?? []).some((one: { name: string }) => one.name === 'key-auth'),
    allow: /local allow = "(.*)"/.exec(JSON.stringify(route.plugins ?? []).replaceAll('\\"', '"'))?.[1],
  }))
  const plugins = new Map(of('KongPlugin').map((one) => [one.metadata.name, one]))
  const found = of('Ingress').map(({ metadata: { name, annotations = {} }, spec }) => {
    const named = (annotations['konghq.com/plugins'] ?? '').split(',').filter((one) => one !== '')
    for (const one of named) expect(plugins.has(one), one).toBe(true)
    const code = named
      .map((one) => JSON.stringify(plugins.get(one)?.['config']))
      .join()
      .replaceAll('\\"', '"')
    const { rules } = spec as { rules: { http: { paths: { path: string }[] } }[] }
    return {
      name,
      path: rules[0]?.http.paths[0]?.path,
      methods: annotations['konghq.com/methods'],
      priority: annotations['konghq.com/regex-priority'],
      keyed: named.includes('registrar-key-auth'),
      allow: /local allow = "(.*)"/.exec(code)?.[1],
    }
  })
  const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1)
  const short = (one: (typeof found)[number]) => ({ ...one, allow: one.allow?.split('"')[0] })
  expect(found.map(short).sort(byName)).toEqual(shapes.map(short).sort(byName))
})

test('an Ingress leads to a Service that there is, and a Service to the function of its name by its Host', () => {
  const services = new Map(of('Service').map((one) => [one.metadata.name, one]))
  for (const { spec } of of('Ingress')) {
    const name = /"service":\{"name":"([^"]+)"/.exec(JSON.stringify(spec))?.[1] ?? ''
    expect(services.has(name), name).toBe(true)
  }
  for (const [
    name,
    {
      spec,
      metadata: { annotations },
    },
  ] of services) {
    const host = `${name.replace(/^kong-/, '')}.registrar.svc.cluster.local`
    expect([annotations?.['konghq.com/host-header'], spec]).toEqual([
      host,
      expect.objectContaining({ type: 'ExternalName', externalName: host }),
    ])
  }
  expect([...services.keys()].sort()).toEqual(
    declared.services.map(({ name }: { name: string }) => `kong-${name}`).sort(),
  )
})

test('what is global is what kong.yml has of all routes', () => {
  const global = of('KongClusterPlugin').map(({ plugin, config }) => ({ name: plugin, config }))
  expect(global).toEqual(declared.plugins)
})

test('the consumer’s key is a Secret that is in no file', async () => {
  expect(of('Secret')).toEqual([])
  const example = parse(await readFile(join(root, 'kong/credential.example.yaml'), 'utf8'))
  expect(example).toMatchObject({
    metadata: { labels: { 'konghq.com/credential': 'key-auth' }, namespace: 'registrar' },
    stringData: { key: '' },
  })
  expect(of('KongConsumer')[0]?.['credentials']).toEqual([example.metadata.name])
})

test.skipIf(withoutKubectl)('kustomize builds it, every object once', async () => {
  const built = documentsOf(await build('kong/kic'))
  const named = (list: readonly { kind: string; metadata?: { name?: string | undefined } | undefined }[]) =>
    list.map(({ kind, metadata }) => `${kind}/${metadata?.name}`).sort()
  expect(named(built)).toEqual(named(manifests))
})
