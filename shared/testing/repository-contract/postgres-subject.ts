import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { startPostgres } from '../../../scripts/engines/postgres.ts'
import { Guardian } from '../../../scripts/local/guardian.ts'
import { familyOf } from '../../../scripts/local/process-table.ts'
import { PostgresClient } from '../../adapters/postgres-client.ts'
import { PostgresMigrations } from '../../adapters/postgres-migrations.ts'
import { PostgresOutbox } from '../../adapters/postgres-outbox.ts'
import { PostgresRepository } from '../../adapters/postgres-repository.ts'
import type { Mapping } from '../../adapters/postgres-rows.ts'
import { pause, resume } from '../pausing.ts'
import type { FrailStore, Store, Subject } from './subject.ts'

type Parts<F> = Pick<Subject<F>, 'open' | 'age' | 'leftovers' | 'frail'>

/** What the contract needs of a side on Postgres: `url` is of a database with the side's schema, and of this file alone. */
export function postgresSubject<F extends object>(url: string, mapping: Mapping<F>): Parts<F> {
  const { schema } = mapping
  const run = async (text: string): Promise<postgres.RowList<postgres.Row[]>> => {
    const sql = postgres(url, { max: 1, onnotice: () => {} })
    return sql
      .unsafe(text)
      .simple()
      .finally(() => sql.end())
  }
  return {
    open: async () => storeAt(url, mapping),
    age: async (ms) => {
      const by = `interval '${ms} ms'`
      await run(`update ${schema}.outbox set created_at = created_at - ${by}, sent_at = sent_at - ${by};
        update ${schema}.tombstones set deleted_at = deleted_at - ${by};
        update ${schema}.idempotency set created_at = created_at - ${by}`)
    },
    leftovers: async () => {
      const [row] = await run(`select (select count(*) from ${schema}.outbox where sent_at is not null)
        + (select count(*) from ${schema}.tombstones) + (select count(*) from ${schema}.idempotency) as count`)
      return Number(row?.['count'])
    },
    frail: () => frailStore(mapping),
  }
}

function storeAt<F extends object>(url: string, mapping: Mapping<F>): Store<F> {
  const client = new PostgresClient({ url })
  return {
    repository: new PostgresRepository(client, mapping),
    outbox: new PostgresOutbox(client, mapping.schema),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

async function frailStore<F extends object>(mapping: Mapping<F>): Promise<FrailStore<F>> {
  await using stack = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'registrar-frail-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const guardian = stack.use(new Guardian())
  const onSpawn: Guardian['watch'] = (child, stop) => guardian.watch(child, stop)
  const engine = stack.use(await startPostgres({ dir, password: 'test', env: guardian.mark, onSpawn }))
  const folder = new URL(`../../../functions/${mapping.schema}/migrations/`, import.meta.url)
  const migrations = new PostgresMigrations({ url: engine.url, schema: mapping.schema, folder })
  for (const step of await migrations.plan()) await step.apply()
  const store = stack.use(storeAt(engine.url, mapping))
  const all = stack.move()
  return {
    ...store,
    pause: () => pause(engine.pid),
    resume: () => resume(engine.pid),
    kill: async () => {
      // Backends outlive it for a moment, and answer: all stand still before the first one goes.
      pause(engine.pid)
      for (const pid of familyOf(engine.pid)) process.kill(pid, 'SIGKILL')
      await engine.stop('SIGKILL')
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
