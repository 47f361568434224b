import { expect, it } from 'vitest'
import { databaseOf, MongoDatabase } from './mongo-client.ts'

it.each([
  ['mongodb://127.0.0.1', 'registrar'],
  ['mongodb://127.0.0.1:27017/', 'registrar'],
  ['mongodb://127.0.0.1/?retryWrites=true', 'registrar'],
  ['mongodb://a:1,b:2/school?replicaSet=r', 'school'],
  ['mongodb+srv://user:p%2Fw@example.org/the%20school', 'the school'],
])('the database of %s is %s', (url, name) => {
  expect(databaseOf(url)).toBe(name)
})

it.each(['mongodb://127.0.0.1:1', 'mongodb://registrar.invalid'])('%s is not available', async (url) => {
  await using database = new MongoDatabase({ url })
  database.warm()
  const began = performance.now()
  await expect(database.run((db) => db.command({ ping: 1 }))).rejects.toMatchObject({ code: 'unavailable' })
  expect(performance.now() - began).toBeLessThan(2000)
})

it('leaves errors of ours what they are', async () => {
  await using database = new MongoDatabase({ url: 'mongodb://127.0.0.1:1' })
  const error = new TypeError('ours')
  await expect(database.run(() => Promise.reject(error))).rejects.toBe(error)
})
