import type { OutboxEntry } from '../resource/aggregate.ts'
import type { Outbox, Swept } from '../resource/ports.ts'
import type { PostgresClient } from './postgres-client.ts'

/** How long a sweeper has an entry for itself, in milliseconds: longer than telling takes. */
const leaseTime = 10_000

const noId = '00000000-0000-0000-0000-000000000000'

interface Leased {
  readonly entry: OutboxEntry
  /** In milliseconds. */
  readonly age: number
  /** When it was written: to the microsecond, in an order of text that is that of time. */
  readonly at: string
}

/** The table `outbox` of a schema, written by `PostgresRepository` in the transactions of the mutations. */
export class PostgresOutbox implements Outbox {
  readonly #client: PostgresClient
  readonly #schema: string

  constructor(client: PostgresClient, schema: string) {
    this.#client = client
    this.#schema = schema
  }

  async settled(entries: readonly OutboxEntry[]): Promise<void> {
    await this.#mark(
      'sent_at = now()',
      entries.map(({ id }) => id),
    )
  }

  async sweep(
    age: number,
    limit: number,
    relay: (entry: OutboxEntry) => Promise<void>,
    after?: string,
  ): Promise<Swept> {
    const rows = await this.#lease(age, limit, after)
    const relayed = await Promise.allSettled(rows.map(({ entry }) => relay(entry)))
    const idsOf = (status: 'fulfilled' | 'rejected'): string[] =>
      rows.filter((_, i) => relayed[i]?.status === status).map(({ entry }) => entry.id)
    const [sent, left] = [idsOf('fulfilled'), idsOf('rejected')]
    await Promise.all([this.#mark('sent_at = now()', sent), this.#mark('leased_until = null', left)])
    const last = rows.length === limit ? rows.at(-1) : undefined
    return {
      settled: sent.length,
      oldest: rows[0]?.age ?? 0,
      ...(last && { next: `${last.at} ${last.entry.id}` }),
    }
  }

  /** Takes the oldest that are due, for the time that telling takes; what another sweeper has is left out. */
  async #lease(age: number, limit: number, after: string | undefined): Promise<readonly Leased[]> {
    const [at = '-infinity', id = noId] = after?.split(' ') ?? []
    // As text, since the driver would make a Date of it, which has no microseconds.
    const rows = await this.#client.run((sql) =>
      sql.unsafe<Leased[]>(
        `with due as (
           select id from ${this.#schema}.outbox
           where sent_at is null and created_at < now() - $1::float8 * interval '1 ms'
             and coalesce(leased_until < now(), true) and (created_at, id) > ($3::text::timestamptz, $4::uuid)
           order by created_at, id limit $2 for update skip locked)
         update ${this.#schema}.outbox as one set leased_until = now() + interval '${leaseTime} ms'
         from due where one.id = due.id
         returning entry, (extract(epoch from now() - created_at) * 1000)::float8 as age,
           to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`,
        [age, limit, at, id],
      ),
    )
    // What an update returns has no order.
    return [...rows].sort((a, b) => (a.at + a.entry.id < b.at + b.entry.id ? -1 : 1))
  }

  async #mark(change: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    await this.#client.run((sql) =>
      sql.unsafe(
        `update ${this.#schema}.outbox set ${change} where id = any(string_to_array($1, ',')::uuid[])`,
        [ids.join(',')],
        { prepare: true },
      ),
    )
  }

  async purge(): Promise<void> {
    await this.#client.run((sql) =>
      sql.unsafe(
        `with sent as (delete from ${this.#schema}.outbox where sent_at < now() - interval '24 hours'),
         claims as (delete from ${this.#schema}.idempotency where created_at < now() - interval '24 hours')
         delete from ${this.#schema}.tombstones where deleted_at < now() - interval '30 days'`,
      ),
    )
  }
}
