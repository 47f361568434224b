import type { Collection } from 'mongodb'
import { Failure, invalid } from '../errors.ts'
import type { Claim, Insertion } from '../resource/ports.ts'
import { isDuplicate, type MongoDatabase } from './mongo-client.ts'
import type { StoredDocument } from './mongo-documents.ts'

/** The collection of the claims on Idempotency-Keys. */
export const claimCollection = 'idempotency'

/** How long a claim holds, in milliseconds. */
export const claimAge = 24 * 60 * 60 * 1000

/** How long a creation is taken to be under way, in milliseconds: only how a duplicate is answered depends on it. */
const underWay = 2000

export interface StoredClaim {
  readonly _id: string
  readonly payload: string
  readonly answer: string
  /** The id of the document that the answer speaks of. */
  readonly subject: string
  /** That document, until it is known to be in its collection. */
  readonly document?: StoredDocument
  readonly at: Date
}

/**
 * Creations under an Idempotency-Key, without a transaction. The claim is written first and pins the answer and the whole
 * document, its id included; whoever comes later with the key finishes what a killed creation left. That is safe at any
 * time, for one id can be inserted once: a deleted one stays as a tombstone for longer than its claim.
 */
export class MongoClaims {
  readonly #database: MongoDatabase
  readonly #collection: string

  constructor(database: MongoDatabase, collection: string) {
    this.#database = database
    this.#collection = collection
  }

  /** Inserts the document, or gives the answer pinned earlier. @throws Failure as `Repository.insert` says. */
  async insert(document: StoredDocument, claim: Claim): Promise<Insertion> {
    const { key, payload, answer } = claim
    const fresh: StoredClaim = {
      _id: key,
      payload,
      answer,
      subject: document._id.toHexString(),
      document,
      at: new Date(),
    }
    const earlier = await this.#pin(fresh)
    if (!earlier) {
      const created = await this.#finish(fresh, document)
      // Another request with the key did it meanwhile, and its sweeper or ours tells of it.
      return created ? { created } : { created, answer }
    }
    if (earlier.payload !== payload) {
      throw invalid([
        { pointer: '', message: 'is not the body that this Idempotency-Key was used with before' },
      ])
    }
    if (earlier.document) {
      // Either way round: the clock that it was pinned by may be ahead.
      if (Math.abs(Date.now() - earlier.at.getTime()) < underWay) {
        throw new Failure('conflict', {
          headers: { 'retry-after': '1' },
          detail: 'a request with this Idempotency-Key is being served; try again later',
        })
      }
      await this.#finish(earlier, earlier.document)
    }
    return { created: false, answer: earlier.answer }
  }

  /** Writes the claim; gives the one that is there instead, unless that is past its time. */
  async #pin(fresh: StoredClaim): Promise<StoredClaim | undefined> {
    const { _id } = fresh
    for (;;) {
      try {
        await this.#claims((claims) => claims.insertOne(fresh))
        return undefined
      } catch (error) {
        if (!isDuplicate(error)) throw error
      }
      const there = await this.#claims((claims) => claims.findOne({ _id }))
      if (!there) continue
      if (Date.now() - there.at.getTime() < claimAge) return there
      const { at, subject } = there
      const { matchedCount } = await this.#claims((claims) => claims.replaceOne({ _id, at, subject }, fresh))
      if (matchedCount === 1) return undefined
    }
  }

  /** Brings the pinned document into being; whether it was not there before. */
  async #finish({ _id, subject }: StoredClaim, document: StoredDocument): Promise<boolean> {
    const inserted = await this.#insert(document).catch(async (error: unknown) => {
      // Refused, not left open as when the database did not answer: nothing is to be finished.
      if (!(error instanceof Failure))
        await this.#claims((claims) => claims.deleteOne({ _id, subject })).catch(() => {})
      throw error
    })
    // When this fails the next one with the key finds the document there, and says the same.
    await this.#claims((claims) => claims.updateOne({ _id, subject }, { $unset: { document: '' } })).catch(
      () => {},
    )
    return inserted
  }

  async #insert(document: StoredDocument): Promise<boolean> {
    try {
      await this.#database.run((db) => db.collection<StoredDocument>(this.#collection).insertOne(document))
      return true
    } catch (error) {
      if (isDuplicate(error)) return false
      throw error
    }
  }

  #claims<T>(work: (claims: Collection<StoredClaim>) => Promise<T>): Promise<T> {
    return this.#database.run((db) => work(db.collection<StoredClaim>(claimCollection)))
  }
}
