import {
  type Db,
  MongoBulkWriteError,
  MongoClient,
  MongoDriverError,
  MongoError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from 'mongodb'
import { Failure, unavailable } from '../errors.ts'
import { inSpan } from '../tracing.ts'
import { within } from '../within.ts'

export interface MongoOptions {
  /** Its path names the database; `registrar` without one. */
  readonly url: string
  /** Most connections. */
  readonly max?: number
  /** Longest that a call may take, in milliseconds. */
  readonly patience?: number
}

/** Longest that a connection may take, or a call where nothing else is said, in milliseconds. */
const usual = 1500

/** How much later than the driver's timeouts its answer is not waited for any more. */
const margin = 200

/**
 * How long a client that finds no server is kept, in milliseconds. When all connections break at once, the driver's monitor
 * of the server may wait for ever for an answer on one that is closed; its client then never finds the server again.
 */
const blindness = 5000

/** A pool that answers in time: what the server does not do within 1.7 s fails as `unavailable`. */
export class MongoDatabase implements AsyncDisposable {
  readonly #options: MongoOptions
  readonly #longest: number
  readonly #name: string
  #client: MongoClient
  /** Since when the client has found no server, by performance.now(). */
  #blind: number | undefined
  #closed = false

  constructor(options: MongoOptions) {
    this.#options = options
    this.#longest = (options.patience ?? usual) + margin
    this.#name = databaseOf(options.url)
    this.#client = this.#connect()
  }

  #connect(): MongoClient {
    const { url, max = 10, patience = usual } = this.#options
    return new MongoClient(url, {
      appName: 'registrar',
      maxPoolSize: max,
      serverSelectionTimeoutMS: usual,
      connectTimeoutMS: usual,
      socketTimeoutMS: patience,
      waitQueueTimeoutMS: usual,
      // What is acknowledged survives a crash: on a standalone server that is the journal's affair, else the majority's.
      writeConcern: { w: 'majority', journal: true, wtimeoutMS: patience },
      // A secondary may not have a course yet that exists: its "not found" would take an enrolment back.
      readPreference: 'primary',
      // A standalone server cannot; and the compare-and-set tells by itself whether it was applied.
      retryWrites: false,
      ignoreUndefined: true,
    })
  }

  /** Opens a connection ahead of the first call; a failure shows at that call. */
  warm(): void {
    this.#client.connect().catch(() => {})
  }

  /** One call, or a few that belong together, to the database. */
  async run<T>(work: (db: Db) => Promise<T>): Promise<T> {
    const client = this.#client
    try {
      const db = client.db(this.#name)
      const result = await inSpan('mongodb', 'client', () => answered(this.#longest, work(db)))
      this.#blind = undefined
      return result
    } catch (error) {
      if (client === this.#client) this.#see(error)
      throw translate(error)
    }
  }

  /** Replaces a client that will not find the server again, or has not for too long. */
  #see(error: unknown): void {
    // One whose first connection failed: the driver never tries another.
    const isDead = error instanceof MongoTopologyClosedError
    if (!isDead && !(error instanceof MongoServerSelectionError)) return
    this.#blind ??= performance.now()
    if (this.#closed || (!isDead && performance.now() - this.#blind < blindness)) return
    this.#blind = undefined
    const old = this.#client
    this.#client = this.#connect()
    old.close().catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    // It says goodbye to the server, which may not be there.
    await answered(usual + margin, this.#client.close()).catch(() => {})
  }
}

const answered = <T>(ms: number, work: Promise<T>): Promise<T> =>
  within(ms, work, () => unavailable('the database', new Error(`no answer within ${ms} ms`)))

/** The database that a connection string names. */
export function databaseOf(url: string): string {
  const [, name] = /^mongodb(?:\+srv)?:\/\/[^/]*\/([^?]+)/.exec(url) ?? []
  return name === undefined ? 'registrar' : decodeURIComponent(name)
}

/**
 * Codes of a server that cannot serve now: it is shutting down, not the primary (any more), out of time or disk, cannot
 * reach the others of its replica set, or does not let this function in (13, 18: a password that changes).
 */
const transient = new Set([
  6, 7, 13, 18, 24, 50, 64, 89, 91, 100, 112, 133, 134, 189, 262, 9001, 10107, 11600, 11601, 11602, 13435,
  13436, 14031,
])

function translate(error: unknown): unknown {
  if (error instanceof Failure) return error
  return cannotServe(error) ? unavailable('the database', error) : error
}

function cannotServe(error: unknown): boolean {
  // It may stand for the network's error as well.
  if (error instanceof MongoBulkWriteError && error.errorResponse instanceof Error)
    return cannotServe(error.errorResponse)
  // Written, but maybe to be rolled back.
  if (error instanceof MongoWriteConcernError) return true
  if (error instanceof MongoServerError) return typeof error.code === 'number' && transient.has(error.code)
  if (error instanceof MongoDriverError) return notConnected.has(error.name)
  // What is left of the driver's own is about the network; a socket's and the resolver's have a code in letters.
  return (
    error instanceof MongoError ||
    (error instanceof Error && 'code' in error && typeof error.code === 'string')
  )
}

/** Of the driver's complaints about its use, those that come of a connection that is not there. */
const notConnected = new Set([
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoServerClosedError',
  'MongoClientClosedError',
  'MongoExpiredSessionError',
  'MongoStalePrimaryError',
  'MongoOperationTimeoutError',
  'MongoWaitQueueTimeoutError',
  'MongoPoolClosedError',
])

/** Whether an insert found its id taken. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === 11000
}
