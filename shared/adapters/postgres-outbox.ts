import type { OutboxEntry } from '../resource/aggregate.ts'
import type { Outbox, Swept } from '../resource/ports.ts'
import type { PostgresClient } from './postgres-client.ts'

/** The table `outbox` of a schema, written by `PostgresRepository` in the transactions of the mutations. */
export class PostgresOutbox implements Outbox {
  readonly #client: PostgresClient
  readonly #schema: string

  constructor(client: PostgresClient, schema: string) {
    this.#client = client
    this.#schema = schema
  }

  async settled(entries: readonly OutboxEntry[]): Promise<void> {
    await this.#client.run((sql) =>
      sql.unsafe(
        `update ${this.#schema}.outbox set sent_at = now() where id = any(string_to_array($1, ',')::uuid[])`,
        [entries.map((entry) => entry.id).join(',')],
        { prepare: true },
      ),
    )
  }

  async sweep(age: number, limit: number, relay: (entry: OutboxEntry) => Promise<void>): Promise<Swept> {
    return this.#client.transaction(async (sql) => {
      // What another sweeper holds is skipped; what its transaction gives up is there again.
      const rows = await sql.unsafe<{ entry: OutboxEntry; age: number }[]>(
        `select entry, (extract(epoch from now() - created_at) * 1000)::float8 as age from ${this.#schema}.outbox
         where sent_at is null and created_at < now() - $1::float8 * interval '1 ms'
         order by created_at limit $2 for update skip locked`,
        [age, limit],
      )
      const relayed = await Promise.allSettled(rows.map(({ entry }) => relay(entry)))
      const sent = rows.filter((_, i) => relayed[i]?.status === 'fulfilled').map(({ entry }) => entry.id)
      await sql.unsafe(
        `update ${this.#schema}.outbox set sent_at = now() where id = any(string_to_array($1, ',')::uuid[])`,
        [sent.join(',')],
      )
      return { settled: sent.length, oldest: rows[0]?.age ?? 0 }
    })
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
