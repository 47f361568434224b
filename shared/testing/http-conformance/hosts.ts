import { Agent, type Server } from 'node:http'
import { join } from 'node:path'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { Config, type Variables } from '../../config.ts'
import { registerFunction } from '../../hosts/functions-framework.ts'
import { wire } from '../../hosts/host.ts'
import { type HttpAssembly, wiredApp } from '../../hosts/http.ts'
import { assemble } from '../../hosts/main.ts'
import { nodeHttpServer } from '../../hosts/node-http.ts'
import { pathPattern } from '../../http/routes.ts'
import type { HttpTrigger } from '../../spec/define-function.ts'
import { type DiscoveredFunction, discoverFunctions } from '../../spec/discover.ts'
import { Environment } from '../../wiring/environment.ts'
import { exchange, type Target } from './target.ts'

export type HostKind = 'native' | 'framework'

export interface HttpFunction {
  readonly found: DiscoveredFunction
  readonly trigger: HttpTrigger
}

/** Every HTTP function on a server of its own, in this process; each is started by its first request. */
export async function openHosts(kind: HostKind, variables: Variables): Promise<Target> {
  const stack = new AsyncDisposableStack()
  const agent = new Agent({ keepAlive: true })
  stack.defer(() => agent.destroy())
  const environments = new Map<string, Environment>()
  /** One for each service, so that all its functions share a pool: the server's connections are few. */
  const environmentOf = ({ name: { full, service } }: DiscoveredFunction): Environment => {
    const environment = environments.get(service) ?? stack.use(new Environment(full, new Config(variables)))
    environments.set(service, environment)
    return environment
  }
  const functions = (await discoverFunctions(join(import.meta.dirname, '../../..'))).flatMap(
    (found): HttpFunction[] => {
      const { trigger } = found.declaration
      return trigger.kind === 'http' ? [{ found, trigger }] : []
    },
  )
  const ports = new Map<string, Promise<number>>()
  const start = kind === 'native' ? startNative : startFramework
  return {
    name: kind,
    async request(method, path, sent) {
      const { found } = choose(functions, method, path.split('?')[0] ?? '')
      const { full } = found.name
      const port = ports.get(full) ?? start(found, environmentOf(found), stack)
      ports.set(full, port)
      return exchange(await port, agent, method, path, sent)
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** The function that a gateway would choose; where it would refuse by itself, one that has to. */
export function choose(functions: readonly HttpFunction[], method: string, path: string): HttpFunction {
  const scored = functions.map((one) => {
    const operations = Object.values(one.trigger.operations)
    const score = operations.map((operation) => {
      if (!new RegExp(`^${pathPattern(operation.path)}`).test(path))
        return path.startsWith(operation.path) ? 1 : 0
      const own = operation.method === (method === 'HEAD' ? 'GET' : method)
      return 4 + (own ? 2 : 0) + (operation.path.includes('{') ? 0 : 4)
    })
    return { one, score: Math.max(...score) }
  })
  const [best] = scored.sort((a, b) => b.score - a.score)
  if (!best) throw new Error('there is no HTTP function')
  return best.one
}

async function startNative(
  { name }: DiscoveredFunction,
  environment: Environment,
  stack: AsyncDisposableStack,
): Promise<number> {
  // Discovered as an HTTP function.
  const assembly = (await assemble(name.full)) as HttpAssembly
  return listen(nodeHttpServer(wiredApp(assembly, await wire(environment, assembly))), stack)
}

async function startFramework(
  found: DiscoveredFunction,
  environment: Environment,
  stack: AsyncDisposableStack,
): Promise<number> {
  const made = registerFunction(found, environment)
  if (made) stack.use(made)
  return listen(getTestServer(found.name.slug), stack)
}

export async function listen(server: Server, stack: AsyncDisposableStack): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stack.defer(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  })
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('no port')
  return address.port
}
