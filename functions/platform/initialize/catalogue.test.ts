import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Variables } from '../../../shared/config.ts'
import { openPlatform } from '../../../shared/testing/http-conformance/platform.ts'
import { type Ended, initialize } from '../../../shared/testing/initialize.ts'

const stack = new AsyncDisposableStack()
let variables: Variables
let sql: postgres.Sql
beforeAll(async () => {
  const platform = stack.use(await openPlatform())
  variables = platform.variables
  sql = postgres(variables['STUDENTS_URL'] ?? '', { max: 1, onnotice: () => {} })
  stack.defer(() => sql.end())
})
afterAll(() => stack.disposeAsync())

const run = (...flags: string[]): Promise<Ended> => initialize(variables, ...flags)
const indexes = async (): Promise<unknown> => [
  ...(await sql`select * from pg_indexes where schemaname in ('students', 'courses') order by indexname, schemaname`),
]

/** That looking tells just this, however often, and with the code of a difference. */
async function expectSeen(...plan: readonly string[]): Promise<void> {
  for (const _ of [1, 2]) {
    const seen = await run('--check')
    expect([seen.code, seen.plan]).toEqual([plan.length === 0 ? 0 : 2, plan])
  }
}

describe('the initializer, where what migrations made is no more', () => {
  it('makes indexes again, as they were', async () => {
    const before = await indexes()
    await sql`drop index students.links_member_owner_idx, students.entities_name_id_idx`
    await sql`drop index courses.entities_expr_created_at_id_idx`
    expect(await indexes()).not.toEqual(before)
    const missing = [
      'schema students: create index entities_name_id_idx',
      'schema students: create index links_member_owner_idx',
      'schema courses: create index entities_expr_created_at_id_idx',
    ]
    await expectSeen(...missing)
    const made = await run()
    expect([made.code, made.plan]).toEqual([0, missing])
    expect(await indexes()).toEqual(before)
    await expectSeen()
  })

  it.each([
    [
      'a table',
      'drop table courses.outbox',
      'schema courses: table outbox is missing',
      `set search_path = courses;
       create table outbox (id uuid primary key, entry json not null,
         created_at timestamptz not null default clock_timestamp(), sent_at timestamptz,
         leased_until timestamptz);
       create index on outbox (created_at) where sent_at is null;
       create index on outbox (sent_at) where sent_at is not null`,
    ],
    [
      'a view',
      'drop view students.directory_enrolments',
      'schema students: view directory_enrolments is missing',
      `create view students.directory_enrolments as
         with present as (select owner, member, ts from students.links where links.present)
         select owner as student_id, member as course_id, to_timestamp(ts / 1000000.0) as since from present`,
    ],
    [
      'a column',
      'alter table students.links drop column reason',
      'schema students: column links.reason is missing: text',
      'alter table students.links add column reason text',
    ],
    [
      'a type of a column',
      'alter table students.links alter column origin type varchar(9)',
      'schema students: column links.origin is character varying(9) not null, not text not null',
      'alter table students.links alter column origin type text',
    ],
    [
      'a default of a column',
      'alter table courses.entities alter column floor drop default',
      'schema courses: column entities.floor is bigint not null, not bigint not null default 0',
      'alter table courses.entities alter column floor set default 0',
    ],
    [
      'a constraint',
      'alter table students.entities drop constraint entities_names_unique',
      'schema students: constraint entities.entities_names_unique is missing: UNIQUE (name, first_name, last_name)',
      `alter table students.entities
         add constraint entities_names_unique unique (name, first_name, last_name)`,
    ],
    [
      'an index that is another',
      `drop index students.entities_name_id_idx;
       create index entities_name_id_idx on students.entities (name)`,
      'schema students: index entities_name_id_idx is CREATE INDEX entities_name_id_idx ON entities USING btree (name), ' +
        'not CREATE INDEX entities_name_id_idx ON entities USING btree (name, id)',
      `drop index students.entities_name_id_idx;
       create index on students.entities (name, id)`,
    ],
  ])('names %s, which a human has to mend, and does nothing else either', async (_, harm, what, mend) => {
    await sql.unsafe(harm)
    await sql`drop index courses.idempotency_created_at_idx`
    const planned = [`${what} (by hand)`, 'schema courses: create index idempotency_created_at_idx']
    const seen = await run('--check')
    expect([seen.code, seen.plan.toSorted()]).toEqual([2, planned.toSorted()])
    const refused = await run('--force')
    expect([refused.code, refused.plan]).toEqual([3, seen.plan])
    expect(refused.err).toBe(
      `this has to be mended by hand, from a backup or as the migrations made it, and nothing was applied: ${what}\n`,
    )
    expect(await indexes()).not.toContainEqual(
      expect.objectContaining({ indexname: 'idempotency_created_at_idx', schemaname: 'courses' }),
    )
    await sql.unsafe(`${mend}; set search_path = public`)
    const mended = await run()
    expect([mended.code, mended.plan]).toEqual([0, planned.slice(1)])
  })

  it('leaves alone what others have put there', async () => {
    await sql`create table students.theirs (id int primary key)`
    await sql`create index theirs_idx on students.entities (version)`
    await sql`alter table students.entities add column theirs text`
    await sql`create view students.their_view as select id from students.theirs`
    await expectSeen()
    expect((await run('--force')).plan).toEqual([])
    // Nor does a migration take for its own what it finds there.
    await sql`delete from students.migrations where version = 2`
    await sql`drop index students.links_ts_idx`
    expect((await run()).plan).toEqual(['schema students: apply 0002_ended_links.sql'])
    await sql`drop table students.theirs cascade`
    await expectSeen()
  })

  it('compares nothing that was migrated before it was kept what migrations make, until it is run', async () => {
    await sql`alter table students.migrations drop column made`
    await sql`drop index students.outbox_sent_at_idx`
    const keep = ['schema students: keep what its migrations made, to see from now on what differs']
    await expectSeen(...keep)
    expect((await sql`select * from students.migrations`)[0]).not.toHaveProperty('made')
    const kept = await run()
    expect([kept.code, kept.plan]).toEqual([0, keep])
    expect(await sql`select from pg_namespace where nspname like 'registrar%'`).toHaveLength(0)
    // By what they make, not by what there was: the index is missed, and what is theirs is theirs.
    const missing = ['schema students: create index outbox_sent_at_idx']
    await expectSeen(...missing)
    expect(await run()).toMatchObject({ code: 0, plan: missing })
    await expectSeen()
  })
})
