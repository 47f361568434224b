import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Output } from '../local/output.ts'
import { Cluster, NotReady } from './cluster.ts'
import { CommandFailed, isThere } from './command.ts'
import { down, howToAsk, up } from './steps.ts'

const usage = `usage: scripts/cluster up [--context NAME] [--no-images]
       scripts/cluster down [--context NAME]

up installs Knative, Kourier, KEDA and Kong (scripts/cluster-steps/versions.ts) on an empty minikube or kind, makes secrets,
builds and loads the images, applies knative/overlays/local and kong/kic, and ends with the first answer through Kong. Run
again, it goes on where it stopped, or changes nothing. down removes all of it but the images, data included.

  --context NAME   another cluster than the current minikube or kind
  --no-images      the cluster has the images, or pulls them`

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      context: { type: 'string' },
      images: { type: 'boolean', default: true },
      help: { type: 'boolean' },
    },
    allowNegative: true,
  })
  const [verb, ...more] = positionals
  if (values.help || (verb !== 'up' && verb !== 'down') || more.length > 0) {
    console.log(usage)
    if (!values.help) process.exitCode = 2
    return
  }
  const output = new Output()
  const missing = await missingTools(verb === 'up' && values.images ? ['helm', 'docker'] : ['helm'])
  if (missing.length > 0) throw new NotReady(`${missing.join(' and ')} cannot be found on the PATH.`)
  const cluster = await Cluster.find(values.context)
  output.line(`${verb} on ${cluster.context}`)
  const root = join(import.meta.dirname, '../..')
  for (const { title, run } of verb === 'up' ? up(root, cluster, values.images) : down(cluster))
    await output.step(title, run, (word) => word ?? '')
  if (verb === 'up') for (const line of ['', ...(await howToAsk(cluster))]) output.line(line)
}

async function missingTools(names: readonly string[]): Promise<string[]> {
  const there = await Promise.all(names.map((name) => isThere(name, 'version')))
  return names.filter((_, index) => !there[index])
}

try {
  await main()
} catch (error) {
  if (error instanceof NotReady || error instanceof CommandFailed || isUsage(error))
    console.error(error.message)
  else throw error
  process.exitCode = 1
}

function isUsage(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}
