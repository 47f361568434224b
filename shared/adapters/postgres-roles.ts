import type postgres from 'postgres'
import { databaseOf, fingerprintOf, passwordOf, roleOf, scramVerifier } from '../provision/credentials.ts'
import type { Provisioner, Step } from '../provision/provisioner.ts'
import { type Right, rightsOf } from './postgres-rights.ts'
import { inSession } from './postgres-session.ts'

/** A function that works on a service's database. */
export interface RoleOwner {
  /** Its slug. */
  readonly function: string
  readonly service: string
  readonly needs: readonly string[]
}

export interface RolesOptions {
  /** Of a role that may make others. */
  readonly url: string
  readonly schema: string
  readonly functions: readonly RoleOwner[]
  /** The roles key. */
  readonly key: string
}

interface Role {
  readonly name: string
  readonly password: string
  readonly fingerprint: string
  readonly rights: readonly Right[]
}

interface Attributes {
  /** Not those of a function: it may make roles or databases, be somebody else, or not even come in. */
  readonly strange: boolean
  readonly fingerprint: string | null
}

interface Difference {
  readonly title: string
  /** Statements that end it. */
  readonly sql: readonly string[]
}

/** A role for each function that works on a schema, which may do just what the function's needs do. */
export class PostgresRoles implements Provisioner {
  readonly #options: RolesOptions
  readonly #roles: readonly Role[]

  constructor(options: RolesOptions) {
    const { url, schema, functions, key } = options
    const database = databaseOf(url)
    this.#options = options
    this.#roles = functions.map(({ function: slug, needs }) => {
      const name = roleOf(database, slug)
      const password = scramVerifier(key, name, passwordOf(key, slug))
      return { name, password, fingerprint: fingerprintOf(key, name), rights: rightsOf(schema, needs) }
    })
  }

  async plan(): Promise<readonly Step[]> {
    const long = this.#roles.find(({ name }) => Buffer.byteLength(name) > 63)
    if (long)
      throw new Error(`the role ${long.name} has a longer name than Postgres takes: rename the database`)
    return inSession(this.#options.url, async (sql) => {
      // Asked for all at once, on the one connection.
      const found = await Promise.all(
        this.#roles.map(async (role) => ({ role, ends: await differences(sql, role) })),
      )
      return found
        .filter(({ ends }) => ends.length > 0)
        .map(({ role, ends }) => ({
          title: `role ${role.name}: ${ends.map(({ title }) => title).join(', ')}`,
          apply: () => this.#apply(role),
        }))
    })
  }

  /** Two initializers at once: the second waits, and finds the work done. What migrations made meanwhile is seen here. */
  #apply(role: Role): Promise<void> {
    return inSession(this.#options.url, async (sql) => {
      await sql.begin(async (transaction) => {
        const lock = `registrar roles ${this.#options.schema}`
        await transaction`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`
        for (const { sql: statements } of await differences(transaction, role))
          for (const statement of statements) await transaction.unsafe(statement)
      })
    })
  }
}

type Query = postgres.Sql | postgres.TransactionSql

async function differences(sql: Query, role: Role): Promise<Difference[]> {
  const name = quoted(role.name)
  const there = await attributesOf(sql, role.name)
  const login = `login nosuperuser nocreaterole nocreatedb noreplication nobypassrls password '${role.password}'`
  const noted = `comment on role ${name} is '${noteOf(role.fingerprint)}'`
  const rights = await rightsThere(sql, role.name)
  const granted = role.rights.filter((right) => !rights.includes(right))
  const revoked = rights.filter((right) => !role.rights.includes(right))
  return [
    ...(there ? [] : [{ title: 'create', sql: [`create role ${name} ${login}`, noted] }]),
    ...(there && there.fingerprint !== role.fingerprint
      ? [{ title: 'change its password', sql: [`alter role ${name} ${login}`, noted] }]
      : []),
    ...(there?.strange
      ? [
          {
            title: 'set back its attributes',
            sql: [
              `alter role ${name} ${login}`,
              ...(await membershipsOf(sql, role.name)).map((of) => `revoke ${quoted(of)} from ${name}`),
            ],
          },
        ]
      : []),
    ...(granted.length > 0
      ? [{ title: `grant ${granted.join(', ')}`, sql: granted.map((right) => `grant ${right} to ${name}`) }]
      : []),
    ...(revoked.length > 0
      ? [
          {
            title: `revoke ${revoked.join(', ')}`,
            sql: revoked.map((right) => `revoke ${right} from ${name}`),
          },
        ]
      : []),
  ]
}

const note = 'A function of Registrar, made by its initializer. Password: '
const noteOf = (fingerprint: string): string => `${note}${fingerprint}`

async function attributesOf(sql: Query, role: string): Promise<Attributes | undefined> {
  const [found] = await sql<{ strange: boolean; comment: string | null }[]>`
    select rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls or not rolcanlogin
      or exists (select from pg_auth_members where member = pg_roles.oid) as strange,
      shobj_description(oid, 'pg_authid') as comment
    from pg_roles where rolname = ${role}`
  if (!found) return undefined
  const { strange, comment } = found
  return { strange, fingerprint: comment?.startsWith(note) ? comment.slice(note.length) : null }
}

async function membershipsOf(sql: Query, role: string): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select roleid::regrole::text as name from pg_auth_members where member = (select oid from pg_roles where rolname = ${role})`
  return rows.map(({ name }) => name)
}

/** All that was granted to it, in whatever schema of the database, as `grant` says it. */
async function rightsThere(sql: Query, role: string): Promise<Right[]> {
  const rows = await sql<{ right: Right }[]>`
    with role as (select oid from pg_roles where rolname = ${role})
    select lower(privilege_type) || ' on schema ' || quote_ident(nspname) as right
    from pg_namespace, aclexplode(nspacl) where grantee = (select oid from role)
    union all
    select lower(privilege_type) || ' on ' || quote_ident(nspname) || '.' || quote_ident(relname)
    from pg_class join pg_namespace n on n.oid = relnamespace, aclexplode(relacl) where grantee = (select oid from role)
    union all
    select lower(privilege_type) || ' (' || quote_ident(attname) || ') on ' || quote_ident(nspname) || '.' || quote_ident(relname)
    from pg_attribute join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace, aclexplode(attacl)
    where grantee = (select oid from role)`
  return rows.map(({ right }) => right)
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
