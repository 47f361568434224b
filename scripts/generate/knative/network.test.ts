import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Backing, backingOf } from '../../../shared/spec/backing.ts'
import { discoverFunctions } from '../../../shared/spec/discover.ts'
import { overlay, withoutKubectl } from './check/kustomize.ts'
import { opened } from './check/network.ts'
import { podsOf } from './check/pods.ts'
import type { Manifest } from './manifest.ts'

const functions = await discoverFunctions(join(import.meta.dirname, '../../..'))

describe.skipIf(withoutKubectl)('the network policies', () => {
  const built = new Map<string, Manifest[]>()
  const objects = (name: string): Manifest[] => built.get(name) ?? []
  beforeAll(async () => {
    for (const name of ['local', 'production', 'lab']) built.set(name, await overlay(name))
  })

  const servers = {
    local: {
      STUDENTS_URL: 'postgres:5432',
      COURSES_URL: 'mongodb:27017',
      CACHE_URL: 'redis:6379',
      EVENTS_URL: 'nats:4222',
    },
    production: {
      STUDENTS_URL: '0.0.0.0/0:5432',
      COURSES_URL: '0.0.0.0/0:27017',
      CACHE_URL: '0.0.0.0/0:6379',
      EVENTS_URL: 'nats:4222',
    },
    lab: {
      STUDENTS_URL: '10.99.0.1/32:5432',
      COURSES_URL: '10.99.0.1/32:27017',
      CACHE_URL: '10.99.0.1/32:6379',
      EVENTS_URL: 'nats:4222',
    },
  } as const

  it.each(['local', 'production', 'lab'] as const)(
    'in %s a function reaches what it needs, and nothing else',
    (name) => {
      const gateway = 'kourier-system:8081'
      const telemetry = [
        'opentelemetry-collector/registrar|registrar-observability|monitoring:4318',
        'prometheus/registrar|registrar-observability|monitoring:9090',
        ...(name === 'local' ? ['tempo/registrar-observability:4318'] : []),
      ]
      for (const found of functions) {
        const pod = podsOf(objects(name)).find(
          ({ labels }) => labels['app.kubernetes.io/name'] === found.name.slug,
        )
        const reached = backingOf(found.name, found.declaration).map((one: Backing) =>
          one in servers[name] ? servers[name][one as keyof (typeof servers)[typeof name]] : gateway,
        )
        expect([found.name.full, pod && opened(objects(name), pod, 'egress')]).toEqual([
          found.name.full,
          ['kube-system:53', ...telemetry, ...new Set(reached)].toSorted(),
        ])
      }
    },
  )

  it.each(['local', 'production', 'lab'])('in %s a pod that nothing is said of is cut off', (name) => {
    const stranger = { owner: 'Pod/stranger', namespace: 'registrar', labels: {}, spec: {} }
    expect((['ingress', 'egress'] as const).map((way) => opened(objects(name), stranger, way))).toEqual([
      [],
      [],
    ])
  })

  it('a function is reached through Knative and by Prometheus alone, a job by nobody', () => {
    const prometheus = expect.stringMatching(/^prometheus\/registrar\|.*:8080$/)
    const knative = [8012, 8013, 9090].map((port) => `knative-serving|kourier-system:${port}`)
    for (const found of functions) {
      const pod = podsOf(objects('local')).find(
        ({ labels }) => labels['app.kubernetes.io/name'] === found.name.slug,
      )
      const expected = {
        http: [...knative, prometheus],
        grpc: [...knative, prometheus],
        stream: [prometheus],
        job: [],
        cron: [],
      }[found.declaration.trigger.kind]
      expect([found.name.full, pod && opened(objects('local'), pod, 'ingress')]).toEqual([
        found.name.full,
        expected,
      ])
    }
  })

  it('a server is reached by what needs it: pods by their labels, beside them Kong and KEDA', () => {
    const expected = {
      postgres: ['registrar/reaches-students-db:5432'],
      mongodb: ['registrar/reaches-courses-db:27017'],
      redis: ['kong:6379', 'registrar/reaches-cache:6379'],
      nats: ['keda:8222', 'registrar/reaches-events:4222', 'registrar/reaches-nats-monitoring:8222'],
    }
    for (const [server, peers] of Object.entries(expected)) {
      const pod = podsOf(objects('local')).find(({ owner }) => owner === `StatefulSet/${server}`)
      expect([server, pod && opened(objects('local'), pod, 'ingress')]).toEqual([server, peers])
    }
  })
})
