import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import type postgres from 'postgres'
import type { Provisioner, Step } from '../provision/provisioner.ts'
import { afterAll, type Change, catalogue, changes, type Thing } from './postgres-catalogue.ts'
import { inSession } from './postgres-session.ts'

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

interface Applied {
  readonly version: number
  readonly checksum: string
  /** Null where it was applied before this was kept. */
  readonly made: readonly Change[] | null
}

/**
 * Numbered SQL files, each applied once, in one transaction each, under an advisory lock. What each of them made is kept
 * with it, so that what went missing since is seen; of anybody else's things in the schema nothing is known.
 */
export class PostgresMigrations implements Provisioner {
  readonly #options: MigrationsOptions

  constructor(options: MigrationsOptions) {
    this.#options = options
  }

  async plan(): Promise<readonly Step[]> {
    const { schema } = this.#options
    const migrations = await this.#read()
    return inSession(this.#options.url, async (sql) => {
      const applied = await this.#applied(sql)
      for (const { name, version, checksum } of migrations) {
        const there = applied.get(version)
        if (there !== undefined && there.checksum !== checksum) {
          throw new Error(
            `migration ${name} of schema ${schema} was changed after it was applied: write a new one`,
          )
        }
      }
      const pending = migrations.filter(({ version }) => !applied.has(version))
      return [
        ...(await this.#mending(sql, migrations, applied)),
        ...pending.map((migration) =>
          this.#step(`apply ${migration.name}`, (sql) => apply(sql, schema, migration)),
        ),
      ]
    })
  }

  #step(title: string, work: (sql: postgres.TransactionSql) => Promise<void>): Step {
    const { schema } = this.#options
    return {
      title: `schema ${schema}: ${title}`,
      apply: () => inSession(this.#options.url, (sql) => locked(sql, schema, work)),
    }
  }

  /** What has to be done for all that the applied migrations made to be as they made it. */
  async #mending(
    sql: postgres.Sql,
    migrations: readonly Migration[],
    applied: ReadonlyMap<number, Applied>,
  ): Promise<Step[]> {
    const { schema } = this.#options
    const known = migrations.filter(({ version }) => applied.has(version))
    if (known.some(({ version }) => applied.get(version)?.made === null)) {
      const title = 'keep what its migrations made, to see from now on what differs'
      return [this.#step(title, (sql) => remember(sql, schema, known))]
    }
    const wanted = afterAll([...applied.values()].flatMap(({ made }) => made ?? []))
    const there = await sql.begin('read only', async (transaction) => {
      await transaction`select set_config('search_path', ${schema}, true)`
      return catalogue(transaction)
    })
    const relations = new Set([...there.values()].map(({ relation }) => relation))
    return (
      [...wanted.values()]
        .filter(({ object, definition }) => there.get(object)?.definition !== definition)
        // What belongs to a table that is missing is not told besides.
        .filter(({ object, relation }) => relations.has(relation) || object.endsWith(` ${relation}`))
        .map((thing) => this.#mend(thing, there.get(thing.object)))
    )
  }

  /** An index has nothing in it that would not be made again. */
  #mend({ object, definition }: Thing, other: Thing | undefined): Step {
    if (!other && object.startsWith('index ')) {
      const index = definition.replace(' INDEX ', ' INDEX IF NOT EXISTS ')
      return this.#step(`create ${object}`, async (sql) => void (await sql.unsafe(index)))
    }
    const what = other
      ? `is ${other.definition}, not ${definition}`
      : `is missing${definition && `: ${definition}`}`
    const title = `${object} ${what}`
    return {
      ...this.#step(title, async () => {
        throw new Error(`${title}: this has to be mended by hand`)
      }),
      manual: true,
    }
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

  async #applied(sql: postgres.Sql): Promise<Map<number, Applied>> {
    const { schema } = this.#options
    const [table] = await sql`select to_regclass(${`${schema}.migrations`}) as there`
    if (!table?.['there']) return new Map()
    // As JSON, since the column came later.
    const rows = await sql<Applied[]>`
      select version, checksum, to_jsonb(migrations)->'made' as made from ${sql(schema)}.migrations order by version`
    return new Map(rows.map((row) => [row.version, row]))
  }
}

/** One transaction with the schema as its search path. Two initializers at once: the second waits, and finds the work done. */
async function locked(
  sql: postgres.Sql,
  schema: string,
  work: (sql: postgres.TransactionSql) => Promise<void>,
): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`select pg_advisory_xact_lock(hashtextextended(${`registrar migrations ${schema}`}, 0))`
    await transaction`create schema if not exists ${transaction(schema)}`
    await transaction`create table if not exists ${transaction(schema)}.migrations (
      version integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`
    await transaction`alter table ${transaction(schema)}.migrations add column if not exists made jsonb`
    await transaction`select set_config('search_path', ${schema}, true)`
    await work(transaction)
  })
}

async function apply(
  sql: postgres.TransactionSql,
  schema: string,
  { version, name, sql: text, checksum }: Migration,
): Promise<void> {
  const [there] = await sql`select from ${sql(schema)}.migrations where version = ${version}`
  if (there) return
  const made = await making(sql, text)
  await sql`insert into ${sql(schema)}.migrations (version, name, checksum, made)
    values (${version}, ${name}, ${checksum}, ${sql.json(made)})`
}

async function making(sql: postgres.TransactionSql, text: string): Promise<Change[]> {
  const before = await catalogue(sql)
  await sql.unsafe(text)
  return changes(before, await catalogue(sql))
}

/** For migrations of before: made once more aside, since what they made may be gone by now, or be somebody else's. */
async function remember(
  sql: postgres.TransactionSql,
  schema: string,
  migrations: readonly Migration[],
): Promise<void> {
  const aside = `registrar_aside_${schema}`
  await sql`create schema ${sql(aside)}`
  await sql`select set_config('search_path', ${aside}, true)`
  for (const { version, sql: text } of migrations) {
    const made = await making(sql, text)
    await sql`update ${sql(schema)}.migrations set made = ${sql.json(made)} where version = ${version}`
  }
  await sql`drop schema ${sql(aside)} cascade`
}
