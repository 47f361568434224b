import { MongoClient } from 'mongodb'
import { expect, it } from 'vitest'
import { openPlatform } from '../../../shared/testing/http-conformance/platform.ts'
import { initialize } from '../../../shared/testing/initialize.ts'
import { describeMongo } from '../../../shared/testing/mongo.ts'

await describeMongo('the initializer with courses on MongoDB', 'any', () => {
  it('sees indexes that are missing, and replaces one of another key only with --force', async () => {
    await using platform = await openPlatform('mongo')
    const own = platform.variables
    expect((await initialize(own, '--check')).code).toBe(0)
    await using client = new MongoClient(own['COURSES_URL'] ?? '')
    const courses = client.db().collection('courses')
    await courses.dropIndex('outbox_at_1')
    await courses.createIndex({ theirs: 1 })
    const missing = ['collection courses: create index outbox_at_1']
    for (const [code, flags] of [
      [2, ['--check']],
      [2, ['--check']],
      [0, []],
    ] as const) {
      const { code: ended, plan } = await initialize(own, ...flags)
      expect([ended, plan]).toEqual([code, missing])
    }
    await courses.dropIndex('student_ids_1__id_1')
    await courses.createIndex({ student_ids: -1 }, { name: 'student_ids_1__id_1' })
    const replaced = ['collection courses: replace index student_ids_1__id_1 (may lose data)']
    for (const [code, flags] of [
      [2, ['--check']],
      [3, []],
      [0, ['--force']],
    ] as const) {
      const { code: ended, plan, err } = await initialize(own, ...flags)
      expect([ended, plan]).toEqual([code, replaced])
      if (code === 3) expect(err).toContain('nothing was applied')
    }
    const names = (await courses.indexes()).map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['outbox_at_1', 'student_ids_1__id_1', 'theirs_1']))
    expect((await initialize(own, '--force')).plan).toEqual([])
  })
})
