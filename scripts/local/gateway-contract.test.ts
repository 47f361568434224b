import { Agent } from 'node:http'
import { httpConformance } from '../../shared/testing/http-conformance/http-conformance.ts'
import { exchange, type Target } from '../../shared/testing/http-conformance/target.ts'
import { key, Started } from './testing/fixture.ts'
import { WholeTree } from './testing/whole-tree.ts'

// The contract as clients meet it: with the key, through the gateway, each function a process of its own.
httpConformance('local gateway', async (): Promise<Target> => {
  const stack = new AsyncDisposableStack()
  const tree = stack.use(new WholeTree())
  const run = stack.use(await new Started(tree).ready())
  const agent = new Agent({ keepAlive: true })
  stack.defer(() => agent.destroy())
  const port = Number(new URL(run.url).port)
  return {
    name: 'local gateway',
    request: (method, path, sent) =>
      exchange(port, agent, method, path, { ...sent, headers: { 'x-api-key': key, ...sent?.headers } }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
})
