import { join } from 'node:path'
import { discoverFunctions } from '../../shared/spec/discover.ts'
import { defaultRegistry, defaultTag, imageName } from '../images/name.ts'
import type { Cluster } from './cluster.ts'
import { command } from './command.ts'
import { firstAnswer, proxyService } from './first-answer.ts'
import { initialized } from './initialized.ts'
import { keyOf, kong, makeSecrets } from './secrets.ts'
import { kongCharts, manifests, versions } from './versions.ts'

export interface Step {
  readonly title: string
  /** May be run again, whether it was run to its end before or not. @returns a word on what it did. */
  readonly run: () => Promise<string | undefined>
}

const overlay = 'knative/overlays/local'
const objectsOfKong = 'kong/kic'
/** Roles and their bindings of the overlay: they are in no namespace, with which they would be gone. */
const clusterRoles = ['registrar-prometheus', 'registrar-fluent-bit']

/** From an empty cluster to the first answer. */
export function up(root: string, cluster: Cluster, images: boolean): Step[] {
  const apply = (...args: string[]) =>
    cluster.kubectl(['apply', '--server-side', '--force-conflicts', ...args])
  const ready = (namespace: string) =>
    cluster.kubectl([
      ...['wait', 'deployment', '--all', '--namespace', namespace],
      ...['--for', 'condition=Available', '--timeout', '300s'],
    ])
  const configure = (name: string, data: Readonly<Record<string, string>>) =>
    cluster.kubectl([
      ...['patch', 'configmap', name, '--namespace', 'knative-serving', '--type', 'merge'],
      ...['--patch', JSON.stringify({ data })],
    ])
  return [
    ...(images ? [{ title: 'images', run: () => makeImages(root, cluster) }] : []),
    {
      title: `Knative ${versions.knative}`,
      run: async () => {
        await apply('-f', manifests.knativeTypes)
        await cluster.kubectl(['wait', 'crd', '--all', '--for', 'condition=Established', '--timeout', '60s'])
        await apply('-f', manifests.knative)
        await ready('knative-serving')
      },
    },
    {
      title: `Kourier ${versions.kourier}`,
      run: async () => {
        await apply('-f', manifests.kourier)
        await configure('config-network', { 'ingress-class': 'kourier.ingress.networking.knative.dev' })
        // Deploying starts nothing: one pod of each function at a time would be much for a laptop.
        await configure('config-autoscaler', { 'allow-zero-initial-scale': 'true', 'initial-scale': '0' })
        await ready('kourier-system')
      },
    },
    {
      title: `KEDA ${versions.keda}`,
      run: async () => {
        await apply('-f', manifests.keda)
        await ready('keda')
      },
    },
    {
      title: 'secrets',
      run: async () => {
        await apply('-f', join(root, 'knative/base/namespace.yaml'))
        const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: kong.namespace } }
        await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input: JSON.stringify(namespace) })
        await makeSecrets(cluster, await discoverFunctions(root))
      },
    },
    {
      title: 'Kong',
      run: async () => {
        await cluster.helm([
          ...[
            'upgrade',
            '--install',
            'kong',
            'ingress',
            '--repo',
            kongCharts,
            '--version',
            versions.kongChart,
          ],
          ...['--namespace', kong.namespace, '--values', join(import.meta.dirname, 'kong-values.yaml')],
          // As strings: a tag may look like a number.
          ...['--set-string', `gateway.image.tag=${versions.kong}`],
          ...['--set-string', `controller.ingressController.image.tag=${versions.kongController}`],
          ...['--wait', '--timeout', '5m'],
        ])
      },
    },
    {
      title: 'servers',
      run: async () => {
        await apply('-k', join(root, overlay))
        const sets = ['postgres', 'mongodb', 'redis', 'nats']
        for (const set of sets)
          await cluster.kubectl([
            ...['rollout', 'status', `statefulset/${set}`, '--namespace', 'registrar', '--timeout', '300s'],
          ])
      },
    },
    { title: 'initializer', run: async () => void (await initialized(cluster)) },
    {
      title: 'functions',
      run: async () => {
        await cluster.kubectl([
          ...['wait', 'ksvc', '--all', '--namespace', 'registrar', '--for', 'condition=Ready'],
          ...['--timeout', '300s'],
        ])
      },
    },
    { title: 'routes', run: async () => void (await apply('-k', join(root, objectsOfKong))) },
    {
      title: 'first 200',
      run: async () => {
        const took = await firstAnswer(cluster, (await keyOf(cluster)) ?? '')
        return `answered in ${Math.round(took)} ms`
      },
    },
  ]
}

/** Everything that `up` brought, the data of the servers included, but for the images. */
export function down(cluster: Cluster): Step[] {
  const remove = (...args: string[]) =>
    cluster.kubectl(['delete', '--ignore-not-found', '--timeout', '300s', ...args])
  return [
    {
      title: 'functions',
      run: async () => {
        // Before the controllers that have a last word on them.
        for (const kind of ['scaledobjects.keda.sh', 'services.serving.knative.dev'])
          if (await cluster.has('crd', kind)) await remove(kind, '--all', '--namespace', 'registrar')
      },
    },
    {
      title: 'servers',
      run: async () => {
        await remove('namespace', 'registrar')
        await remove('namespace', 'registrar-observability')
        await remove('clusterrolebindings,clusterroles', ...clusterRoles)
      },
    },
    {
      title: 'Kong',
      run: async () => {
        for (const kind of ['kongclusterplugins.configuration.konghq.com'])
          if (await cluster.has('crd', kind)) await remove(kind, '--all')
        await cluster.helm([
          'uninstall',
          'kong',
          '--namespace',
          kong.namespace,
          '--ignore-not-found',
          '--wait',
        ])
        await remove('namespace', kong.namespace)
        // Helm leaves them, for whoever has objects of theirs.
        const types = (await cluster.kubectl(['get', 'crd', '-o', 'name'])).split('\n')
        const kongs = types.filter((type) => type.endsWith('.configuration.konghq.com'))
        if (kongs.length > 0) await remove(...kongs)
      },
    },
    { title: 'KEDA', run: async () => void (await remove('-f', manifests.keda)) },
    { title: 'Kourier', run: async () => void (await remove('-f', manifests.kourier)) },
    {
      title: 'Knative',
      run: async () => {
        await remove('-f', manifests.knative)
        await remove('-f', manifests.knativeTypes)
      },
    },
  ]
}

/** How to come by the API from this machine. */
export async function howToAsk(cluster: Cluster): Promise<string[]> {
  const forward = `kubectl --context ${cluster.context} -n ${kong.namespace} port-forward ${proxyService} 8000:80`
  return [
    `API key: ${await keyOf(cluster)}`,
    `try: ${forward} &`,
    `     curl -H 'x-api-key: ${await keyOf(cluster)}' http://localhost:8000/api/students`,
  ]
}

async function makeImages(root: string, cluster: Cluster): Promise<string> {
  await command('npm', ['run', '--silent', 'build'], { cwd: root })
  await command('docker', ['buildx', 'bake', '--file', 'docker-bake.hcl', '--load'], { cwd: root })
  const functions = await discoverFunctions(root)
  const images = functions.map(({ name }) => `${defaultRegistry}/${imageName(name.slug)}:${defaultTag}`)
  await cluster.load(images)
  return `${images.length} of them`
}
