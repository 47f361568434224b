import { parseArgs } from 'node:util'
import type { JetStreamClient, JetStreamManager } from 'nats'
import { NatsClient } from '../../shared/adapters/nats-client.ts'
import { Refusal } from '../local/refusal.ts'
import { exitCodes, type Print, parsing, printing, runCommand, UsageError } from './command.ts'
import { type Letter, letter, letters, remove } from './letters/letter.ts'
import { detailsOf, lineOf, objectOf } from './letters/print.ts'
import { type Replayed, replay } from './letters/replay.ts'
import { urlsOf } from './servers.ts'

// npm run dead-letters: what no worker could process, and what becomes of it.

const usage = `usage: npm run dead-letters -- list | show ID | replay ID | replay --all | drop ID   [--json]

Works on the NATS of EVENTS_URL, or of the npm start beside it.
  list          every message that no worker could process, with the reason
  show ID       all that is known of one
  replay ID     sends it to its worker again, and takes it out when its stream has it; safe to repeat, and two at once send it
                once. Mend the reason first: what fails again comes back as another letter
  replay --all  the same with each of those that are there now
  drop ID       takes it out for good; npm run reconcile tells whether an enrolment misses it
  --json        a JSON object a line`

interface Broker {
  readonly jetstream: JetStreamClient
  readonly manager: JetStreamManager
  readonly print: Print
}

type Action = (broker: Broker) => Promise<number>

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsing(() =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { all: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
    }),
  )
  const action = actionOf(positionals, values.all)
  const { EVENTS_URL } = urlsOf('EVENTS_URL')
  await using client = new NatsClient({ url: EVENTS_URL, name: 'dead-letters' })
  const jetstream = await client.jetstream()
  const manager = await jetstream.jetstreamManager()
  return await action({ jetstream, manager, print: printing(values.json) })
}

function actionOf([name, id, ...more]: readonly string[], all: boolean): Action {
  if (name === undefined) throw new UsageError('Say what to do: list, show, replay or drop.')
  const known = { list, show: one(show), replay: all ? replayAll : one(replayOne), drop: one(drop) }
  const action = Object.entries(known).find(([verb]) => verb === name)?.[1]
  if (!action) throw new UsageError(`There is no "${name}": only list, show, replay and drop.`)
  if (more.length > 0) throw new UsageError(`"${more[0]}" is one word too many.`)
  if (all && name !== 'replay') throw new UsageError('--all is for replay alone.')
  if (name === 'list' || all) {
    if (id !== undefined) throw new UsageError(`"${id}" is one word too many.`)
    return (broker) => action(broker, 0)
  }
  if (!/^[1-9]\d{0,14}$/.test(id ?? ''))
    throw new UsageError(`Say which: ${name} takes the number that list gives a letter.`)
  return (broker) => action(broker, Number(id))
}

const one =
  (work: (broker: Broker, id: number) => Promise<void>) =>
  async (broker: Broker, id: number): Promise<number> => {
    await work(broker, id)
    return exitCodes.done
  }

async function list({ manager, print }: Broker): Promise<number> {
  let count = 0
  for await (const letter of letters(manager)) {
    count++
    print(lineOf(letter), objectOf(letter))
  }
  if (count === 0) sayNone()
  return exitCodes.done
}

/** Beside the output: for machines no line is no letter. */
const sayNone = (): void => void process.stderr.write('There are no dead letters.\n')

async function show({ manager, print }: Broker, id: number): Promise<void> {
  const found = await letter(manager, id)
  const raw = Buffer.from(found.payload).toString('base64')
  print(detailsOf(found), { ...objectOf(found), raw })
}

async function replayOne({ jetstream, manager, print }: Broker, id: number): Promise<void> {
  const found = await letter(manager, id)
  printReplayed(print, found, await replay(jetstream, manager, found))
}

async function replayAll({ jetstream, manager, print }: Broker): Promise<number> {
  let [count, failed] = [0, 0]
  for await (const letter of letters(manager)) {
    count++
    const { id, subject } = letter
    try {
      printReplayed(print, letter, await replay(jetstream, manager, letter))
    } catch (error) {
      // A letter that cannot be sent shall not keep the others; a broker that is away ends it.
      if (!(error instanceof Refusal)) throw error
      failed++
      print(error.message, { id, replayed: false, subject, reason: error.message })
    }
  }
  if (count === 0) sayNone()
  return failed === 0 ? exitCodes.done : exitCodes.failed
}

function printReplayed(print: Print, { id, subject }: Letter, replayed: Replayed): void {
  const reason = 'another replay had sent it'
  if (replayed === 'sent') print(`${id} was sent to ${subject} again`, { id, replayed: true, subject })
  else print(`${id} had been sent to ${subject} by another replay`, { id, replayed: false, subject, reason })
}

async function drop({ manager, print }: Broker, id: number): Promise<void> {
  const dropped = await letter(manager, id)
  if (!(await remove(manager, id))) throw new Refusal(`There is no dead letter ${id}.`)
  print(`dropped ${lineOf(dropped)}`, { ...objectOf(dropped), dropped: true })
}

await runCommand({ usage, run })
