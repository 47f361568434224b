import { afterAll, beforeAll } from 'vitest'
import { MongoIndexes } from '../../../shared/adapters/mongo-indexes.ts'
import {
  canStartMongo,
  describeMongo,
  noLeakedConnection,
  type TestMongo,
  testMongo,
} from '../../../shared/testing/mongo.ts'
import { courseSubject } from '../../../shared/testing/repository-contract/course-subject.ts'
import { mongoSubject } from '../../../shared/testing/repository-contract/mongo-subject.ts'
import { repositoryContract } from '../../../shared/testing/repository-contract.ts'
import { mongoCourses } from './mongo-courses.ts'

noLeakedConnection()
const own = await canStartMongo()

await describeMongo('courses on MongoDB', 'any', () => {
  let mongo: TestMongo | undefined
  beforeAll(async () => {
    mongo = await testMongo()
    for (const step of await new MongoIndexes({ url: mongo.url, mapping: mongoCourses }).plan())
      await step.apply()
  })
  afterAll(() => mongo?.[Symbol.asyncDispose]())

  const subject = mongoSubject(() => mongo?.url ?? '', mongoCourses, own)
  repositoryContract('the contract', { ...courseSubject, ...subject })
})
