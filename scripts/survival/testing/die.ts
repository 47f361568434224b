import { Socket } from 'node:net'
import type { OutboxEntry } from '../../../shared/resource/aggregate.ts'
import type { Delivery } from '../../../shared/worker/inbox.ts'

/*
 * Given to the process of a function by --import, so that the product has no hook of its own: the process ends by SIGKILL
 * when it comes to the point that DIE_AT names. It has the modules that the function has, so what it puts in place of a
 * method is what the function calls.
 */

const points: Readonly<Record<string, (detail: string) => Promise<void>>> = {
  /** After a commit, before anybody was told of it. */
  async committed() {
    const { Relay } = await import('../../../shared/resource/relay.ts')
    Relay.prototype.afterCommit = die
  },
  /** After the entry of a commit was told, before it is marked. */
  async published() {
    for (const Outbox of await outboxes()) Outbox.prototype.settled = die
  },
  /** The same, of a sweep. */
  async swept() {
    for (const Outbox of await outboxes()) {
      const { sweep } = Outbox.prototype
      Outbox.prototype.sweep = function (age, limit, relay) {
        return sweep.call(this, age, limit, (entry: OutboxEntry) => relay(entry).then(die))
      }
    }
  },
  /** After the effect of a message, before its acknowledgement. */
  handled: () => eachDelivery((delivery) => ({ ...delivery, acknowledge: die })),
  /** After the other side was told of a link. */
  async replied() {
    const { NatsEvents } = await import('../../../shared/adapters/nats-events.ts')
    const { tell } = NatsEvents.prototype
    NatsEvents.prototype.tell = function (...all) {
      return tell.apply(this, all).then(die)
    }
  },
  /** Of a message with these bytes, whenever it is received. */
  message: (mark) =>
    eachDelivery((delivery) => (Buffer.from(delivery.payload).includes(mark) ? die() : delivery)),
  /** Within an insertion, before the packet to the database of this number. */
  async packet(number) {
    let packets = Number.POSITIVE_INFINITY
    for (const Repository of await repositories()) {
      const { insert } = Repository.prototype
      Repository.prototype.insert = async function (...all) {
        packets = Number(number)
        return insert.apply(this, all).finally(() => {
          packets = Number.POSITIVE_INFINITY
        })
      }
    }
    const database = portOf(process.env['COURSES_URL'])
    const { write } = Socket.prototype
    Socket.prototype.write = function (...all: unknown[]) {
      if (this.remotePort === database && !isHello(all[0]) && --packets === 0) die()
      return Reflect.apply(write, this, all)
    }
  },
}

function die(): never {
  process.kill(process.pid, 'SIGKILL')
  // Not one step more, however long the signal takes.
  for (;;);
}

async function eachDelivery(seen: (delivery: Delivery) => Delivery): Promise<void> {
  const { NatsInbox } = await import('../../../shared/adapters/nats-inbox.ts')
  const { messages } = NatsInbox.prototype
  NatsInbox.prototype.messages = async function* (...all) {
    for await (const delivery of messages.apply(this, all)) yield seen(delivery)
  }
}

/** Of a driver's own, whenever it makes a connection or looks after the server: as chance will have it. */
const isHello = (chunk: unknown): boolean =>
  chunk instanceof Uint8Array && /hello|ismaster/.test(Buffer.from(chunk).toString('latin1'))

async function outboxes() {
  const { PostgresOutbox } = await import('../../../shared/adapters/postgres-outbox.ts')
  const { MongoOutbox } = await import('../../../shared/adapters/mongo-outbox.ts')
  return [PostgresOutbox, MongoOutbox]
}

async function repositories() {
  const { PostgresRepository } = await import('../../../shared/adapters/postgres-repository.ts')
  const { MongoRepository } = await import('../../../shared/adapters/mongo-repository.ts')
  return [PostgresRepository, MongoRepository]
}

const portOf = (url = ''): number => Number(new URL(url).port)

const [point = '', detail = ''] = (process.env['DIE_AT'] ?? '').split(':')
const place = points[point]
if (!place) throw new Error(`there is no point ${point}`)
await place(detail)
