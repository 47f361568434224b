import { openHosts } from '../testing/http-conformance/hosts.ts'
import { httpConformance } from '../testing/http-conformance/http-conformance.ts'
import { openPlatform } from '../testing/http-conformance/platform.ts'
import type { Target } from '../testing/http-conformance/target.ts'
import { describeMongo } from '../testing/mongo.ts'

await describeMongo('courses on MongoDB', 'any', () => {
  httpConformance('native host', async (): Promise<Target> => {
    await using opening = new AsyncDisposableStack()
    const { variables } = opening.use(await openPlatform('mongo'))
    const target = opening.use(await openHosts('native', variables))
    const stack = opening.move()
    return { ...target, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  })
})
