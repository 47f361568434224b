import postgres from 'postgres'
import { Failure, unavailable } from '../errors.ts'
import { inSpan } from '../tracing.ts'
import { within } from '../within.ts'

export type Sql = postgres.Sql<{ bigint: number }>
export type Transaction = postgres.TransactionSql<{ bigint: number }>
type Query = Sql | Transaction

export type { Query }

export interface PostgresOptions {
  readonly url: string
  /** Most connections. */
  readonly max?: number
}

/**
 * Longest that one piece of work may take, in milliseconds: the server gives up first, unless it is not there. What comes while
 * the first connection is being opened has what is left of that one's time, and `first` at least.
 */
const patience = { server: 1300, client: 1500, first: 500 }

/** Connections of one instance, at most: deploy.md says what that is for many. */
export const poolSize = 6

/**
 * Most pieces of work at a time, for each connection: what is done of them within `patience` even by a server that is ten
 * times slower than usual. More would only be refused later, and would take the connections of the others with it.
 */
const queued = 50

/**
 * A pool that answers in time: what the server cannot do within 1.5 s fails as `unavailable`, and at once where so much is
 * under way that it would come to that.
 */
export class PostgresClient implements AsyncDisposable {
  readonly #options: PostgresOptions
  #sql: Sql
  #warming: Promise<void> | undefined
  #warmedUntil = 0
  #underWay = 0

  constructor(options: PostgresOptions) {
    this.#options = options
    this.#sql = this.#connect()
  }

  /**
   * Opens a connection ahead of the first query, which waits for it: the pool would open another one, and wait for that.
   * A failure shows at that query.
   */
  warm(): void {
    const warmed = (): void => {
      this.#warming = undefined
    }
    this.#warmedUntil = performance.now() + patience.client
    this.#warming = this.#sql.unsafe('').then(warmed, warmed)
  }

  /** Runs queries outside a transaction, in a span of this name. */
  run<T>(work: (sql: Sql) => Promise<T>, name = 'postgres'): Promise<T> {
    return this.#bounded(name, work)
  }

  /** Runs work in a transaction of its own. */
  transaction<T>(work: (sql: Transaction) => Promise<T>): Promise<T> {
    return this.#bounded('postgres transaction', async (sql) => {
      const result = await sql.begin(async (transaction) => ({ value: await work(transaction) }))
      return result.value
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sql.end({ timeout: 2 })
  }

  get #max(): number {
    return this.#options.max ?? poolSize
  }

  async #bounded<T>(name: string, work: (sql: Sql) => Promise<T>): Promise<T> {
    if (this.#underWay >= this.#max * queued)
      throw unavailable('the database', new Error(`${this.#underWay} pieces of work wait for it`))
    const sql = this.#sql
    // Whoever starts a process has waited for it, while the first connection was to be opened.
    const most = this.#warming
      ? Math.max(patience.first, this.#warmedUntil - performance.now())
      : patience.client
    this.#underWay++
    const late = (): Failure => {
      // The connection may hang for as long as TCP likes: leave it behind. What else runs on the old ones has its own time.
      if (this.#sql === sql) this.#sql = this.#connect()
      void sql.end({ timeout: patience.client / 1000 }).catch(() => {})
      return unavailable('the database', new Error(`no answer within ${Math.round(most)} ms`))
    }
    try {
      return await inSpan(name, 'client', () =>
        within(most, this.#warming ? this.#warming.then(() => work(sql)) : work(sql), late),
      )
    } catch (error) {
      throw translate(error)
    } finally {
      this.#underWay--
    }
  }

  #connect(): Sql {
    return postgres(this.#options.url, {
      max: this.#max,
      connect_timeout: 2,
      backoff: () => 0.05,
      idle_timeout: 0,
      max_lifetime: null,
      onnotice: () => {},
      fetch_types: false,
      connection: {
        application_name: 'registrar',
        statement_timeout: patience.server,
        idle_in_transaction_session_timeout: 5000,
      },
      types: {
        // Versions, registers' ts and counts are safe integers.
        bigint: { to: 20, from: [20], parse: Number, serialize: String },
        // Written as text that is JSON already.
        json: { to: 114, from: [114], parse: JSON.parse, serialize: String },
        jsonb: { to: 3802, from: [3802], parse: JSON.parse, serialize: String },
      },
    })
  }
}

/**
 * SQLSTATEs of a server that cannot serve now: it is away, full or busy; or it does not let this function in, or lacks what
 * the initializer has yet to make (a password or a role that changes, a database, schema, table or column that comes).
 */
const transient = /^(08|53|55P03|57|58|40001|40P01|25006|25P03|28|3D000|3F000|42501|42P01|42703)/
/** The codes of the driver, the network and TLS for a connection that is not there. */
const connection =
  /^(CONNECT|CONNECTION_|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|SASL|AUTH_|EPROTO|ERR_(TLS|SSL)|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/

/** An error of the driver, as the failure `unavailable` where the server cannot serve. */
export function translate(error: unknown): unknown {
  if (error instanceof Failure) return error
  const code = errorCode(error)
  if (code !== undefined && (transient.test(code) || connection.test(code)))
    return unavailable('the database', error)
  return error
}

/** The SQLSTATE or driver code of an error, if it has one. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Whether an error is the violation of this unique constraint. */
export function violates(error: unknown, constraint: string): boolean {
  return (
    errorCode(error) === '23505' &&
    typeof error === 'object' &&
    error !== null &&
    'constraint_name' in error &&
    error.constraint_name === constraint
  )
}
