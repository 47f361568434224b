import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { Manifest } from '../generate/knative/manifest.ts'
import { sourcesOf } from './dry-run/sources.ts'
import { externalSecretTypes } from './dry-run/types.ts'
import { askable, isRefusal, refusalsOf } from './dry-run/verdict.ts'
import { Lab, root } from './lab.ts'
import { main } from './main.ts'

const usage = `usage: npm run test:dry-run

Starts the API server of ../shared/tools/cluster with the types of Knative and KEDA and Knative's webhook, and asks it about
every overlay of knative/, every file of knative/generated and kong/kic, by \`kubectl apply --server-side --dry-run=server\`.
A warning is a failure. Kinds that it does not know are named. Needs root, and \`cluster build dry-run\` once.`

/** Broken in ways that only KEDA's webhook, which does not run here, or \`cluster validate\` and the schemas of npm test know. */
const beyondTheServer = [
  // kubectl itself takes the later of the two.
  'deployment-key-twice',
  'scaled-object-of-no-scaler',
  'scaled-object-threshold',
  'scaled-object-unknown-parameter',
  'scaled-object-without-stream',
  'service-misspelled-annotation',
]

await main(usage, async (checks, output, signal) => {
  const sources = await sourcesOf(root)
  await using stack = new AsyncDisposableStack()
  const lab = stack.use(
    await output.step("API server and Knative's webhook", () => Lab.start('up-dry', signal)),
  )
  await output.step(
    'types of External Secrets',
    () => externalSecretTypes(lab),
    (word) => word,
  )
  const kinds = await lab.get('api-resources', '--no-headers')
  const apply = (manifests: readonly Manifest[], ...options: string[]) =>
    lab.kubectl(['apply', '--server-side', ...options, '-f', '-'], {
      input: manifests.map((one) => JSON.stringify(one)).join('\n---\n'),
    })

  // For what is inside of them, and with their labels, which tell how strict the server has to be with pods.
  await apply(sources.flatMap(({ manifests }) => manifests.filter(({ kind }) => kind === 'Namespace')))

  const left = new Map<string, number>()
  const leave = (unknown: readonly Manifest[]): void => {
    for (const { apiVersion, kind } of unknown) {
      const name = `${kind} of ${apiVersion}`
      left.set(name, (left.get(name) ?? 0) + 1)
    }
  }
  for (const { name, namespace, manifests } of sources) {
    const { asked, unknown } = askable(manifests, kinds)
    leave(unknown)
    if (asked.length === 0) continue
    await checks.check(name, async () => {
      const said = await apply(asked, '--dry-run=server', ...(namespace ? ['-n', namespace] : []))
      const refused = refusalsOf(said, asked.length)
      if (refused.length > 0) throw new Error(refused.join('\n'))
      return `${asked.length} objects`
    })
  }

  const broken = join(root, 'scripts/generate/knative/check/broken')
  for (const file of (await readdir(broken)).toSorted()) {
    const name = file.replace(/\.yaml$/, '')
    // Read loosely: what is wrong with a file may be its YAML.
    const first = parseAllDocuments(await readFile(join(broken, file), 'utf8'), {
      uniqueKeys: false,
    })[0]?.toJS()
    const { unknown } = askable([first], kinds)
    leave(unknown)
    if (unknown.length > 0) continue
    const beyond = beyondTheServer.includes(name)
    await checks.check(`broken: ${name} is ${beyond ? 'beyond the server' : 'refused'}`, async () => {
      const said = await lab.kubectl([
        'apply',
        '--server-side',
        '--dry-run=server',
        '-n',
        'default',
        '-f',
        join(broken, file),
      ])
      if (said.code !== 0 && !isRefusal(said)) throw new Error(`it was not judged: ${said.err}`)
      if ((said.code === 0) !== beyond) throw new Error(`it was ${beyond ? `refused: ${said.err}` : 'taken'}`)
      return said.err
        .split('\n')
        .findLast((line) => /error|invalid|denied/i.test(line))
        ?.slice(0, 160)
    })
  }
  for (const [kind, count] of left)
    output.line(`NOT ASKED: ${count} × ${kind}: this server has not that type`)
})
