import { otherSide, type Side } from '../enrolment/register.ts'
import { advisories, deadLetter, toldTo, toModify } from '../messages/streams.ts'
import type { FunctionDeclaration } from '../spec/define-function.ts'
import type { FunctionName } from '../spec/names.ts'
import { needsOf } from '../spec/needs.ts'
import { inboxOf } from './nats-client.ts'
import type { WorkerConsumer } from './nats-streams.ts'

/** Subjects that a user of NATS may publish to and subscribe to; all others are denied. */
export interface Permissions {
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

const sides: Readonly<Record<string, Side>> = { students: 'S', courses: 'C' }

/** What a pull consumer's client says to the server. */
const pulls = (stream: string, consumer: string): string[] => [
  `$JS.API.CONSUMER.INFO.${stream}.${consumer}`,
  `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
  `$JS.ACK.${stream}.${consumer}.>`,
]

/** Of a function that EVENTS_URL is given to: the subjects of its needs, and the answers to itself. */
export function permissionsOf(
  { service, slug, full }: FunctionName,
  declaration: FunctionDeclaration,
  consumers: readonly WorkerConsumer[],
): Permissions {
  const side = sides[service]
  const { trigger } = declaration
  const told = side ? [toldTo[otherSide(side)]] : []
  // An outbox has both, and whoever writes to it sweeps it after an outage.
  const relayed = side ? [toModify[side], ...told] : []
  const byNeed: Readonly<Record<string, () => readonly string[]>> = {
    writer: () => relayed,
    relay: () => relayed,
    events: () => told,
    exhausted: () => [
      '$JS.API.INFO',
      ...consumers
        .filter(({ consumer }) => consumer.startsWith(`${service}-`))
        .flatMap(({ stream, consumer }) => [
          ...pulls(advisories.stream, `${consumer}-advisories`),
          `$JS.API.STREAM.MSG.GET.${stream}`,
          `$JS.API.STREAM.MSG.DELETE.${stream}`,
          `${deadLetter.subject}.${consumer}`,
        ]),
    ],
    provisioners: () => ['$JS.API.>'],
  }
  const publish = needsOf(declaration).flatMap((need) => byNeed[need]?.() ?? [])
  if (trigger.kind === 'stream') publish.push(...pulls(trigger.stream, slug), `${deadLetter.subject}.${slug}`)
  return { publish: [...new Set(publish)].sort(), subscribe: [`${inboxOf(full)}.>`] }
}
