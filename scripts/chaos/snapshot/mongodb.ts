import { MongoClient, type ObjectId } from 'mongodb'
import type { Register } from '../../../shared/enrolment/register.ts'
import type { StoredSide } from './snapshot.ts'

interface Document {
  readonly _id: ObjectId
  readonly live: boolean
  readonly name: string
  readonly version: number
  readonly links: Readonly<Record<string, Register>>
  readonly outbox: Readonly<Record<string, unknown>>
}

/** The courses' side in MongoDB. Each document is of one moment, and nothing writes when a snapshot is judged. */
export async function coursesInMongodb(url: string): Promise<StoredSide> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5000 })
  try {
    const documents = await client.db().collection<Document>('courses').find().sort({ _id: 1 }).toArray()
    return {
      entities: documents
        .filter(({ live }) => live)
        .map(({ _id, name, version, links }) => ({ id: _id.toHexString(), name, version, links })),
      untold: documents.reduce((sum, { outbox }) => sum + Object.keys(outbox).length, 0),
    }
  } finally {
    await client.close()
  }
}
