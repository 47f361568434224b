import { command, isThere, type Options } from './command.ts'
import { versions } from './versions.ts'

/** What stops before anything is changed, each as a sentence. */
export class NotReady extends Error {
  override readonly name = 'NotReady'
}

/** The cluster that everything goes to, by the name of its context, which each call says: nothing goes elsewhere. */
export class Cluster {
  readonly context: string
  readonly #tool: 'kind' | 'minikube' | undefined

  constructor(context: string) {
    this.context = context
    this.#tool = context.startsWith('kind-') ? 'kind' : undefined
  }

  /** The given context, or the current one if it is of a cluster for trying things out. @throws NotReady */
  static async find(given: string | undefined): Promise<Cluster> {
    if (!(await isThere('kubectl', 'version', '--client'))) throw new NotReady('kubectl is not on the PATH.')
    const context = given ?? (await command('kubectl', ['config', 'current-context']).catch(() => '')).trim()
    if (context === '')
      throw new NotReady(
        'There is no cluster: run `minikube start --cpus 4 --memory 8g` or `kind create cluster`.',
      )
    const cluster = new Cluster(context)
    const minikube = await cluster.#isMinikube()
    if (!given && !cluster.#tool && !minikube)
      throw new NotReady(
        `The context ${context} is neither kind nor minikube: say --context ${context} to mean it.`,
      )
    const version = await cluster.#version()
    if (isBelow(version, versions.kubernetes))
      throw new NotReady(
        `The cluster is Kubernetes ${version}: Knative ${versions.knative} needs ${versions.kubernetes}.`,
      )
    return cluster
  }

  kubectl(args: readonly string[], options?: Options): Promise<string> {
    return command('kubectl', ['--context', this.context, ...args], options)
  }

  helm(args: readonly string[]): Promise<string> {
    return command('helm', ['--kube-context', this.context, ...args])
  }

  async has(...object: string[]): Promise<boolean> {
    return (await this.kubectl(['get', ...object, '--ignore-not-found', '-o', 'name'])).trim() !== ''
  }

  /** Puts images of this machine into the cluster's own store. @throws NotReady where nobody knows how. */
  async load(images: readonly string[]): Promise<void> {
    if (this.#tool === 'kind') {
      await command('kind', ['load', 'docker-image', '--name', this.context.slice('kind-'.length), ...images])
    } else if (await this.#isMinikube()) {
      await command('minikube', ['--profile', this.context, 'image', 'load', ...images])
    } else
      throw new NotReady(
        'Only kind and minikube take images without a registry: push them, and use --no-images.',
      )
  }

  /** A profile of minikube is named as its context. */
  async #isMinikube(): Promise<boolean> {
    const minikube = await this.kubectl(['get', 'nodes', '-l', 'minikube.k8s.io/name', '-o', 'name']).catch(
      () => '',
    )
    return minikube.trim() !== ''
  }

  async #version(): Promise<string> {
    const text = await this.kubectl(['version', '-o', 'json']).catch((cause: unknown) => {
      throw new NotReady(`The cluster ${this.context} does not answer.`, { cause })
    })
    const { serverVersion }: { serverVersion?: { major: string; minor: string } } = JSON.parse(text)
    return `${serverVersion?.major}.${serverVersion?.minor.replace(/\D/g, '')}`
  }
}

function isBelow(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number)
  return major < leastMajor || (major === leastMajor && minor < leastMinor)
}
