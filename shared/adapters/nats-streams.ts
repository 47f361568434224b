import { isDeepStrictEqual } from 'node:util'
import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  type JetStreamManager,
  NatsError,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from 'nats'
import { unavailable } from '../errors.ts'
import { advisories, deadLetter, streams } from '../messages/streams.ts'
import type { Provisioner, Step } from '../provision/provisioner.ts'
import { NatsClient, type NatsOptions } from './nats-client.ts'

/** A worker's durable consumer. */
export interface WorkerConsumer {
  readonly stream: string
  readonly subject: string
  /** The function's slug. */
  readonly consumer: string
}

export interface StreamsOptions extends NatsOptions {
  readonly consumers: readonly WorkerConsumer[]
  readonly maxAckPending: number
  /** Servers that keep each stream; 1 unless told. */
  readonly replicas?: number
}

const seconds = (n: number): number => n * 1_000_000_000
const days = (n: number): number => seconds(n * 86_400)

/** A message that keeps killing its worker is given up after so many deliveries. */
const mostDeliveries = 20

/** Streams and consumers on JetStream. */
export class NatsStreams implements Provisioner, AsyncDisposable {
  readonly #client: NatsClient
  readonly #options: StreamsOptions

  constructor(options: StreamsOptions) {
    this.#options = options
    this.#client = new NatsClient(options)
  }

  /** @throws Failure `unavailable` while NATS, or its JetStream, is not there. */
  async plan(): Promise<readonly Step[]> {
    const manager = await this.#manager().catch((cause: unknown) => {
      throw unavailable('NATS', cause)
    })
    const steps: Step[] = []
    for (const wanted of wantedStreams(this.#options)) steps.push(...(await planStream(manager, wanted)))
    for (const [stream, wanted] of wantedConsumers(this.#options)) {
      steps.push(...(await planConsumer(manager, stream, wanted)))
    }
    return steps
  }

  async #manager(): Promise<JetStreamManager> {
    return (await this.#client.connection()).jetstreamManager({ timeout: 3000 })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }
}

type WantedStream = Partial<StreamConfig> & Pick<StreamConfig, 'name' | 'subjects'>
type WantedConsumer = Partial<ConsumerConfig> & { readonly durable_name: string }

function wantedStreams({ replicas = 1 }: StreamsOptions): WantedStream[] {
  const kept = {
    storage: StorageType.File,
    num_replicas: replicas,
    discard: DiscardPolicy.Old,
    duplicate_window: seconds(120),
    // Said although they are the server's own: a limit that somebody set would drop messages without a word.
    max_age: 0,
    ...{ max_msgs: -1, max_bytes: -1, max_msg_size: -1, max_msgs_per_subject: -1 },
  }
  return [
    ...Object.entries(streams).map(([name, { subjects, description }]) => ({
      ...kept,
      name,
      description,
      subjects: [...subjects],
      retention: RetentionPolicy.Workqueue,
    })),
    {
      ...kept,
      name: deadLetter.stream,
      description: 'What no worker could process, with the reason',
      subjects: [`${deadLetter.subject}.>`],
      retention: RetentionPolicy.Limits,
      max_age: days(30),
    },
    {
      ...kept,
      name: advisories.stream,
      description: 'Messages that used up their deliveries, for the sweepers',
      subjects: [`${advisories.subject}.>`],
      retention: RetentionPolicy.Workqueue,
      max_age: days(30),
    },
  ]
}

function wantedConsumers({ consumers, maxAckPending }: StreamsOptions): [stream: string, WantedConsumer][] {
  const explicit = { ack_policy: AckPolicy.Explicit, deliver_policy: DeliverPolicy.All }
  return consumers.flatMap(({ stream, subject, consumer }): [string, WantedConsumer][] => [
    [
      stream,
      {
        ...explicit,
        durable_name: consumer,
        filter_subject: subject,
        // A killed worker's messages come again after this; longer work says that it goes on.
        ack_wait: seconds(4),
        max_deliver: mostDeliveries,
        max_ack_pending: maxAckPending,
      },
    ],
    [
      advisories.stream,
      {
        ...explicit,
        durable_name: `${consumer}-advisories`,
        filter_subject: `${advisories.subject}.${stream}.${consumer}`,
        ack_wait: seconds(30),
      },
    ],
  ])
}

async function planStream(manager: JetStreamManager, wanted: WantedStream): Promise<Step[]> {
  const { name } = wanted
  const current = await found(manager.streams.info(name))
  if (!current) {
    return [{ title: `stream ${name}: create`, apply: async () => void (await manager.streams.add(wanted)) }]
  }
  const different = differences(current.config, wanted)
  if (different.length === 0) return []
  const update = { ...current.config, ...wanted }
  return [
    {
      title: `stream ${name}: change ${different.join(', ')}`,
      destructive: narrows(current.config, wanted),
      apply: async () => void (await manager.streams.update(name, update)),
    },
  ]
}

/** Whether messages that are kept now would not be: fewer subjects, a shorter age, another retention. */
function narrows(current: StreamConfig, wanted: WantedStream): boolean {
  const age = (config: { max_age?: number }): number => config.max_age || Number.POSITIVE_INFINITY
  return (
    current.subjects.some((subject) => !wanted.subjects.includes(subject)) ||
    age(wanted) < age(current) ||
    current.retention !== wanted.retention
  )
}

async function planConsumer(
  manager: JetStreamManager,
  stream: string,
  wanted: WantedConsumer,
): Promise<Step[]> {
  const name = wanted.durable_name
  const current = await found(manager.consumers.info(stream, name))
  if (!current) {
    return [
      {
        title: `consumer ${name}: create`,
        apply: async () => void (await manager.consumers.add(stream, wanted)),
      },
    ]
  }
  const different = differences(current.config, wanted)
  if (different.length === 0) return []
  return [
    {
      title: `consumer ${name}: change ${different.join(', ')}`,
      destructive: false,
      apply: async () => void (await manager.consumers.update(stream, name, wanted)),
    },
  ]
}

function differences(current: object, wanted: object): string[] {
  const now = new Map(Object.entries(current))
  return Object.entries(wanted).flatMap(([key, value]) => {
    const there = now.get(key)
    return isDeepStrictEqual(there, value)
      ? []
      : [`${key} from ${JSON.stringify(there)} to ${JSON.stringify(value)}`]
  })
}

/** What is there, or nothing; any other error is one. */
async function found<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404) return undefined
    throw error
  }
}
