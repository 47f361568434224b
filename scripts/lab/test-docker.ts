import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import * as v from 'valibot'
import { bundlesOf, ensureBundles } from '../build/current.ts'
import { onPath } from '../engines/find.ts'
import { findGo } from '../engines/go.ts'
import { readDockerfile } from '../images/dockerfile.ts'
import { imagesOf, layContexts } from '../images/folder.ts'
import { layBase, layOut } from '../images/layout.ts'
import { Refusal } from '../local/refusal.ts'
import { Builder } from './docker/builder.ts'
import { Contained } from './docker/contained.ts'
import { readImage } from './docker/image.ts'
import { program, versions } from './docker/tools.ts'
import { differences, treeOf } from './docker/tree.ts'
import { root } from './lab.ts'
import { main } from './main.ts'
import { ran } from './ran.ts'

const usage = `usage: npm run test:docker

Asks Docker's own programs (${versions}; built from Go's module proxy at the first run) about kong/compose.yaml
and docker-bake.hcl, builds every image of it by BuildKit, compares them with what \`npm test\` and \`npm run test:cluster\` lay out
themselves, and runs some by runc. Needs root, Go and runc (Debian: runc). The base image comes from no registry: it is made of
this machine's Node.`

const groups = ['default', 'on-call', 'events']

await main(usage, async (checks, output, signal) => {
  const go = findGo()
  if (!go) throw new Refusal('There is no Go to build Docker’s programs with.')
  if (process.getuid?.() !== 0) throw new Refusal('BuildKit mounts file systems: run this as root.')
  if (!onPath('runc')) throw new Refusal('There is no runc on the PATH (Debian: runc).')
  const tools = await output.step('programs', async () => ({
    compose: await program('docker-compose', go, signal),
    buildx: await program('buildx', go, signal),
    buildkitd: await program('buildkitd', go, signal),
  }))

  const example = await readFile(join(root, 'kong/.env.example'), 'utf8')
  const secrets = [...example.matchAll(/^([A-Z_]+)=/gm)].map(([, name = '']) => [name, 'a-secret-of-tests'])
  const compose = (file: string) =>
    ran(tools.compose, ['-f', file, 'config', '--format=json'], {
      cwd: root,
      signal,
      env: Object.fromEntries(secrets),
    })
  await checks.check('docker compose takes kong/compose.yaml', async () => {
    const { code, out, err } = await compose('kong/compose.yaml')
    if (code !== 0 || err !== '') throw new Error(err)
    const { services } = v.parse(v.object({ services: v.record(v.string(), v.unknown()) }), JSON.parse(out))
    return `${Object.keys(services).length} services`
  })

  await using stack = new AsyncDisposableStack()
  const builder = stack.use(await output.step('BuildKit', () => Builder.open({ ...tools, signal })))
  await checks.check('docker compose refuses what is misspelled', async () => {
    const broken = join(builder.dir, 'compose.yaml')
    await writeFile(broken, 'services:\n  a:\n    image: b\n    enviroment: {}\n')
    const { code, err } = await compose(broken)
    if (code === 0 || !err.includes('enviroment')) throw new Error(`it ended with ${code}: ${err}`)
    return err.trim()
  })

  const dockerfile = await readDockerfile()
  const context = imagesOf(bundlesOf(root))
  const base = await output.step('base image', async () => {
    await ensureBundles(root)
    await layContexts(root, bundlesOf(root))
    const dir = join(builder.dir, 'base-root')
    await layBase(dir)
    return builder.base(dockerfile.argument('BASE'), dir)
  })
  await checks.check('BuildKit has no warning about the Dockerfile', async () => {
    const said = await builder.bake('--call=check', base, ...groups)
    const clean = said.match(/Check complete, no warnings found/g)?.length
    if (!clean || /warnings? ha(s|ve) been found/.test(said)) throw new Error(said)
    return `${clean} builds`
  })

  const targets = await targetsOf(builder)
  const layout = (target: string): string => join(builder.dir, 'images', target)
  const isBuilt = await checks.check('docker buildx bake builds every image', async () => {
    const to = [...targets.keys()].map(
      (target) => `--set=${target}.output=type=oci,tar=false,dest=${layout(target)}`,
    )
    await mkdir(join(builder.dir, 'images'))
    await builder.bake(base, ...to, ...groups)
    return `${targets.size} images`
  })
  if (!isBuilt) return

  const bases = new Set<string>()
  for (const [target, args] of targets) {
    await checks.check(`${target} is what was laid out`, async () => {
      const image = await readImage(layout(target))
      const { ExposedPorts, ...config } = image.config
      const found = { ...config, Env: config.Env.filter((one) => !one.startsWith('PATH=')) }
      const expected = dockerfile.config(new Map(Object.entries(args)))
      const keys = ['Entrypoint', 'WorkingDir', 'User', 'Env', 'Labels'] as const
      const wrong = keys.filter((key) => !isDeepStrictEqual(found[key], expected[key]))
      if (wrong.length > 0)
        throw new Error(wrong.map((key) => `${key}: ${JSON.stringify(found[key])}`).join('\n'))
      if (!ExposedPorts['8080/tcp']) throw new Error('port 8080 is not exposed')
      bases.add(image.layers[0] ?? '')
      const [built, laid] = [join(builder.dir, 'built'), join(builder.dir, 'laid')]
      try {
        await image.unpack(built)
        await layOut({ context, args, dir: laid })
        const other = differences(await treeOf(built), await treeOf(laid))
        if (other.length > 0) throw new Error(other.slice(0, 20).join('\n'))
        return `${image.layers.length} layers`
      } finally {
        for (const dir of [built, laid]) await rm(dir, { recursive: true, force: true })
      }
    })
  }
  await checks.check('all share the layer of Node', async () => {
    if (bases.size !== 1) throw new Error(`${bases.size} lowest layers`)
    return [...bases][0]
  })

  const contained = stack.use(await output.step('engines', () => Contained.open(builder.dir, layout)))
  await checks.check('platform-initialize runs to its end, in a container', () =>
    contained.run('platform-initialize').then(() => undefined),
  )
  let made = ''
  await checks.check('students-create answers 201, in a container', () =>
    contained.ask('students-create', 201, async (url) => {
      const response = await fetch(`${url}/api/students`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'Countess', first_name: 'Ada', last_name: 'Lovelace' }),
      })
      made = response.headers.get('location') ?? ''
      return response
    }),
  )
  await checks.check('students-get answers 200, in a container', () =>
    contained.ask('students-get', 200, (url) => fetch(`${url}${made}`)),
  )
})

/** Each target of docker-bake.hcl with its build arguments. */
async function targetsOf(builder: Builder): Promise<Map<string, Record<string, string>>> {
  const printed = v.parse(
    v.object({ target: v.record(v.string(), v.object({ args: v.record(v.string(), v.string()) })) }),
    JSON.parse(await builder.bake('--print', ...groups)),
  )
  return new Map(Object.entries(printed.target).map(([name, { args }]) => [name, args]))
}
