import { readFileSync } from 'node:fs'
import { MongoClient } from 'mongodb'
import { expect, it } from 'vitest'
import { postgresUrl } from './engines.ts'
import { describeMongo, ownMongo } from './mongo.ts'

await describeMongo('a MongoDB of the tests', 'own', () => {
  it('serves, and shows no password of its Postgres to others', async () => {
    const { password } = new URL(postgresUrl())
    await using mongo = await ownMongo('postgres')
    await using client = new MongoClient(mongo.url)
    await client.db().collection('things').insertOne({ name: 'one' })
    expect(await client.db().collection('things').countDocuments()).toBe(1)
    const shown = readFileSync(`/proc/${mongo.engine.pid}/cmdline`, 'latin1')
    expect(shown).toContain('127.0.0.1')
    // Of a Postgres that is given and trusts everybody there is none.
    if (password !== '') expect(shown).not.toContain(password)
  })
})
