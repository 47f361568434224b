import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { at, objectAt } from '../generate/knative/check/at.ts'
import { documentsOf, problemsOf } from '../generate/knative/check/documents.ts'
import { build, overlay, withoutKubectl } from '../generate/knative/check/kustomize.ts'
import { opened } from '../generate/knative/check/network.ts'
import { containersOf, type Pod, podsOf } from '../generate/knative/check/pods.ts'
import type { Manifest } from '../generate/knative/manifest.ts'
import { folder, rulesOf } from './files.ts'

const root = join(import.meta.dirname, '../..')
const own = 'registrar-observability'

describe.skipIf(withoutKubectl)('the stack on a cluster', () => {
  const dir = mkdtempSync(join(tmpdir(), 'registrar-stack-'))
  afterAll(() => rmSync(dir, { recursive: true, force: true }))
  let manifests: Manifest[] = []
  const find = (kind: string, name: string): Manifest | undefined =>
    manifests.find((one) => one.kind === kind && one.metadata?.name === name)
  const pod = (name: string): Pod => {
    const found = podsOf(manifests).find(({ labels }) => labels['app.kubernetes.io/name'] === name)
    if (!found) throw new Error(`no pod of ${name}`)
    return found
  }

  beforeAll(async () => {
    const beside = (path: string): string => relative(dir, join(root, path))
    const local = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: ['knative/base', 'knative/base/servers', 'knative/generated'].map(beside),
      components: [relative(dir, folder)],
    }
    writeFileSync(join(dir, 'kustomization.yaml'), stringify(local))
    manifests = documentsOf(await build(relative(root, dir)))
  })

  it('is of objects that Kubernetes knows', async () => {
    expect(manifests.filter((one) => at(one, 'metadata', 'namespace') === own).length).toBeGreaterThan(10)
    expect((await Promise.all(manifests.map(problemsOf))).flat()).toEqual([])
  })

  it('mounts configurations that there are, file by file', () => {
    for (const { owner, namespace, spec } of podsOf(manifests).filter((one) => one.namespace === own)) {
      const volumes = at(spec, 'volumes')
      const names = (Array.isArray(volumes) ? volumes : []).map((volume) => at(volume, 'configMap', 'name'))
      for (const name of names.filter((one) => one !== undefined))
        expect(at(find('ConfigMap', String(name)), 'metadata', 'namespace'), `${owner}: ${name}`).toBe(
          namespace,
        )
    }
  })

  it('keeps nothing in it that is root or may write beside its volumes, but what reads the logs of a node', () => {
    for (const one of podsOf(manifests).filter(
      ({ labels }) => labels['app.kubernetes.io/component'] === 'exporter',
    ))
      expect(at(one.spec, 'securityContext', 'runAsNonRoot'), one.owner).toBe(true)
    for (const one of podsOf(manifests).filter(({ namespace }) => namespace === own)) {
      const hasRoot = at(one.spec, 'securityContext', 'runAsNonRoot') !== true
      expect([one.owner, hasRoot]).toEqual([one.owner, one.owner === 'DaemonSet/fluent-bit'])
      for (const container of containersOf(one))
        expect(at(container, 'securityContext', 'readOnlyRootFilesystem'), one.owner).toBe(true)
    }
  })

  it('lets exporters reach their servers, Prometheus reach them, and functions push', () => {
    const asked = Object.fromEntries(
      ['nats', 'postgres', 'redis', 'mongodb'].map((name) => [
        name,
        opened(manifests, pod(`${name}-exporter`), 'egress')?.filter((one) => !one.startsWith('kube-system')),
      ]),
    )
    expect(asked).toEqual({
      nats: ['nats:8222'],
      postgres: ['postgres:5432'],
      redis: ['redis:6379'],
      mongodb: ['mongodb:27017'],
    })
    expect(opened(manifests, pod('nats'), 'ingress')).toContain('registrar/reaches-nats-monitoring:8222')
    expect(opened(manifests, pod('postgres-exporter'), 'ingress')).toContain(`prometheus/${own}:9187`)
    const pushed = opened(manifests, pod('students-sweep'), 'egress') ?? []
    expect(pushed).toContain(`tempo/${own}:4318`)
    expect(pushed.some((one) => /^prometheus\/.*:9090$/.test(one))).toBe(true)
  })

  it('tells functions where to push: Services that there are', () => {
    const settings = objectAt(find('ConfigMap', 'registrar-settings'), 'data')
    // What was there stays.
    expect(settings['MAX_ACK_PENDING']).toBeDefined()
    for (const variable of ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT']) {
      const { hostname, port } = new URL(String(settings[variable]))
      const [name = '', namespace] = hostname.split('.')
      const ports = at(find('Service', name), 'spec', 'ports')
      expect([namespace, (Array.isArray(ports) ? ports : []).map((one) => String(at(one, 'port')))]).toEqual([
        own,
        expect.arrayContaining([port]),
      ])
    }
  })

  it('has the same rules for the Prometheus operator', async () => {
    const monitors = documentsOf(await build('knative/base/observability/pod-monitors'))
    expect((await Promise.all(monitors.map(problemsOf))).flat()).toEqual([])
    const groups = at(
      monitors.find(({ kind }) => kind === 'PrometheusRule'),
      'spec',
      'groups',
    )
    const rules = (Array.isArray(groups) ? groups : []).flatMap((group) => at(group, 'rules'))
    expect(rules).toEqual(['recording', 'alerts'].flatMap((name) => rulesOf(`prometheus/rules/${name}.yml`)))
  })
})

describe.skipIf(withoutKubectl)('the exporter of NATS', () => {
  // Of a stream or a consumer that is kept three times, only its leader counts.
  it.each(['local', 'monitored'])('asks every server that %s has', async (name) => {
    const manifests = await overlay(name)
    const servers = manifests.find((one) => one.kind === 'StatefulSet' && one.metadata?.name === 'nats')
    const service = String(at(servers, 'spec', 'serviceName'))
    const replicas = Number(at(servers, 'spec', 'replicas'))
    const exporter = podsOf(manifests).find(({ owner }) => owner === 'Deployment/nats-exporter')
    const args = exporter && containersOf(exporter).map((one) => at(one, 'args'))
    const urls = Array.from({ length: replicas }, (_, i) => `http://nats-${i}.${service}.registrar:8222`)
    expect(args).toEqual([['-varz', '-jsz=all', ...urls]])
  })
})
