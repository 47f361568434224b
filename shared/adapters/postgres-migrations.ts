import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import postgres from 'postgres'
import type { Provisioner, Step } from '../provision/provisioner.ts'

export interface MigrationsOptions {
  readonly url: string
  readonly schema: string
  /** Folder of `NNNN_name.sql` files. */
  readonly folder: URL
}

interface Migration {
  readonly version: number
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

/** Numbered SQL files, each applied once, in one transaction each, under an advisory lock. */
export class PostgresMigrations implements Provisioner {
  readonly #options: MigrationsOptions

  constructor(options: MigrationsOptions) {
    this.#options = options
  }

  async plan(): Promise<readonly Step[]> {
    const { schema } = this.#options
    const migrations = await this.#read()
    return this.#connected(async (sql) => {
      const applied = await this.#applied(sql)
      for (const { name, version, checksum } of migrations) {
        const there = applied.get(version)
        if (there !== undefined && there !== checksum) {
          throw new Error(
            `migration ${name} of schema ${schema} was changed after it was applied: write a new one`,
          )
        }
      }
      return migrations
        .filter(({ version }) => !applied.has(version))
        .map((migration) => ({
          title: `schema ${schema}: apply ${migration.name}`,
          apply: () => this.#connected((connection) => this.#apply(connection, migration)),
        }))
    })
  }

  async #read(): Promise<Migration[]> {
    const files = (await readdir(this.#options.folder)).filter((name) => /^\d{4}_\w+\.sql$/.test(name)).sort()
    return Promise.all(
      files.map(async (name) => {
        const sql = await readFile(new URL(name, this.#options.folder), 'utf8')
        return {
          version: Number(name.slice(0, 4)),
          name,
          sql,
          checksum: createHash('sha256').update(sql).digest('hex'),
        }
      }),
    )
  }

  async #applied(sql: postgres.Sql): Promise<Map<number, string>> {
    const { schema } = this.#options
    const [table] = await sql`select to_regclass(${`${schema}.migrations`}) as there`
    if (!table?.['there']) return new Map()
    const rows = await sql<
      { version: number; checksum: string }[]
    >`select version, checksum from ${sql(schema)}.migrations`
    return new Map(rows.map(({ version, checksum }) => [version, checksum]))
  }

  async #apply(sql: postgres.Sql, { version, name, sql: text, checksum }: Migration): Promise<void> {
    const { schema } = this.#options
    await sql.begin(async (transaction) => {
      // Two initializers at once: the second waits, and finds the work done.
      await transaction`select pg_advisory_xact_lock(hashtextextended(${`registrar migrations ${schema}`}, 0))`
      await transaction`create schema if not exists ${transaction(schema)}`
      await transaction`create table if not exists ${transaction(schema)}.migrations (
        version integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`
      const [there] =
        await transaction`select 1 from ${transaction(schema)}.migrations where version = ${version}`
      if (there) return
      await transaction`select set_config('search_path', ${schema}, true)`
      await transaction.unsafe(text)
      await transaction`insert into ${transaction(schema)}.migrations (version, name, checksum) values (${version}, ${name}, ${checksum})`
    })
  }

  async #connected<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
    const sql = postgres(this.#options.url, {
      max: 1,
      onnotice: () => {},
      connect_timeout: 5,
      fetch_types: false,
    })
    try {
      return await work(sql)
    } finally {
      await sql.end({ timeout: 2 })
    }
  }
}
