import { discoverFunctions } from '../../../shared/spec/discover.ts'
import { Refusal } from '../../local/refusal.ts'
import { root } from '../lab.ts'
import { main } from '../main.ts'
import { Api } from './api.ts'
import { contract } from './contract.ts'
import { deploy } from './deploy.ts'
import { enrolments } from './enrolments.ts'
import { fromZero } from './from-zero.ts'
import { startGateway } from './gateway.ts'
import { limits } from './limits.ts'
import { Observer } from './observer.ts'
import { Pods, watchPods } from './pods.ts'
import { rolling } from './rolling.ts'
import type { Scene } from './scene.ts'
import { sweepers } from './sweepers.ts'
import { write } from './write.ts'

const usage = 'Run by npm run test:cluster, inside of the lab.'

/** Before the sum, which npm run test:cluster reads and adds to its own. */
const inside = 'inside of the lab: '

interface Given {
  readonly overlay: string
  readonly key: string
  /** Where what was measured goes. */
  readonly results: string
}

await main(
  usage,
  async (checks, output, signal) => {
    const { overlay, key, results }: Given = JSON.parse(process.env['LAB'] ?? '{}')
    await using stack = new AsyncDisposableStack()
    const pods = new Pods()
    stack.use(watchPods(pods))
    const observer = stack.use(new Observer(pods))
    await deploy(checks, overlay)
    if (checks.failed > 0) throw new Refusal('What follows makes no sense without all of this.')
    const gateway = stack.use(await startGateway(root, key))
    const functions = await discoverFunctions(root)
    const scene: Scene = { checks, output, signal, pods, observer, functions, api: new Api(gateway.url, key) }
    await contract(scene, gateway.url, key)
    const measured = {
      starts: await fromZero(scene),
      enrolments: await enrolments(scene),
      updates: await rolling(scene),
    }
    await sweepers(scene)
    await limits(scene)
    await write(results, { ...measured, memory: Object.fromEntries(observer.bySlug) }, checks)
  },
  inside,
)
