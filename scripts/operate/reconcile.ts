import { NatsClient } from '../../shared/adapters/nats-client.ts'
import { NatsEvents } from '../../shared/adapters/nats-events.ts'
import { exitCodes, printing, runCommand } from './command.ts'
import { InFlight } from './reconcile/in-flight.ts'
import { readOptions, usage } from './reconcile/options.ts'
import { repair } from './reconcile/repair.ts'
import { printFinding, printStalled, printVerdict } from './reconcile/report.ts'
import { openSides } from './reconcile/sides.ts'
import { persevering } from './reconcile/store.ts'
import { Survey } from './reconcile/survey.ts'
import { urlsOf } from './servers.ts'

// npm run reconcile: whether both sides are equal, and what makes them so again.

async function run(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  const urls = urlsOf('STUDENTS_URL', 'COURSES_URL', 'EVENTS_URL')
  const print = printing(options.json)
  await using sides = openSides(urls)
  await using client = new NatsClient({ url: urls.EVENTS_URL, name: 'reconcile' })
  await using events = new NatsEvents({ url: urls.EVENTS_URL, name: 'reconcile' })
  const stores = { S: persevering(sides.S.store), C: persevering(sides.C.store) }
  const manager = await (await client.jetstream()).jetstreamManager()
  const inFlight = new InFlight(stores, manager, (what) => console.error(what))
  const parts = { ...options, stores, inFlight }

  const told = options.repair
    ? await repair({ ...parts, sides, events }, (finding) => printFinding(print, finding))
    : 0
  const survey = new Survey(parts)
  const counts = { differences: 0, undecided: 0 }
  for await (const finding of survey.findings()) {
    counts[finding.certain ? 'differences' : 'undecided']++
    printFinding(print, finding)
  }
  const stalled = printStalled(print, await inFlight.waiting())
  const { arrived, moving, seen } = survey
  printVerdict(print, { ...counts, stalled, told, arrived, moving, seen })
  return counts.differences + counts.undecided + stalled === 0 ? exitCodes.done : exitCodes.drift
}

await runCommand({ usage, run })
