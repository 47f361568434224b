import { openHosts } from '../testing/http-conformance/hosts.ts'
import { httpConformance } from '../testing/http-conformance/http-conformance.ts'
import { openPlatform } from '../testing/http-conformance/platform.ts'
import type { Target } from '../testing/http-conformance/target.ts'

httpConformance('functions-framework host', async (): Promise<Target> => {
  const stack = new AsyncDisposableStack()
  const { variables } = stack.use(await openPlatform())
  const target = stack.use(await openHosts('framework', variables))
  return { ...target, [Symbol.asyncDispose]: () => stack.disposeAsync() }
})
