import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { hasLua } from '../generate/kong/testing/lua.ts'
import { Refusal } from '../local/refusal.ts'
import { checkMachine, Lab, root, tool } from './lab.ts'
import { main } from './main.ts'
import { ran } from './ran.ts'
import { forgetOthers, makeImages } from './steps/images.ts'
import { overlayOf } from './steps/overlay.ts'
import { startServers } from './steps/servers.ts'

const usage = `usage: npm run test:cluster

Runs knative/overlays/lab on the Kubernetes, Knative and KEDA of ../shared/tools/cluster, with images made of this tree, and
looks at what its pods do (scripts/lab/inside). Needs root, luajit, and \`cluster build all\` once, which takes 40 minutes; the
run itself takes about ten. What was measured goes to dist/lab.`

await main(usage, async (checks, output, signal) => {
  checkMachine()
  if (!hasLua)
    throw new Refusal('There is no luajit on the PATH, by which kong.yml is played (Debian: luajit).')
  await using stack = new AsyncDisposableStack()
  let made = 0
  const tag = await output.step(
    'images',
    () => makeImages(signal, () => void made++),
    (word) => `${word}, ${made} new`,
  )
  const lab = stack.use(await output.step('cluster', () => Lab.start('up', signal)))
  await forgetOthers(tag, signal)
  const servers = stack.use(await output.step('servers', () => startServers(lab)))
  const { folder } = stack.use(await overlayOf(tag, servers.urls))
  const results = join(root, 'dist/lab')
  await mkdir(results, { recursive: true })
  const given = { overlay: folder, key: randomBytes(18).toString('base64url'), results }
  const inside = await ran(tool, ['shell', process.execPath, join(import.meta.dirname, 'inside/main.ts')], {
    shown: true,
    signal,
    env: { LAB: JSON.stringify(given) },
  })
  const [, passed, failed] = /^inside of the lab: (\d+) passed, (\d+) failed$/m.exec(inside.out) ?? []
  if (passed === undefined) throw new Error(`what runs inside of the lab ended with ${inside.code}`)
  checks.passed += Number(passed)
  checks.failed += Number(failed)
})
