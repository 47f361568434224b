import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { aCourse, aStudent } from '../../shared/testing/enrolment-world.ts'
import type { Child } from '../bench/process.ts'
import { overBothAdapters } from './testing/adapters.ts'
import { post } from './testing/functions.ts'
import { expectLink, openStage, type Stage, sweep } from './testing/stage.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 180_000 })

await overBothAdapters(
  'a POST under an Idempotency-Key is killed before any packet to the database',
  (courses) => {
    let stage: Stage
    let healthy: Child
    beforeAll(async () => {
      stage = await openStage({ courses })
      healthy = stage.functions.start('courses/create')
    })
    afterAll(() => stage[Symbol.asyncDispose]())

    /** What a client does that got no answer, or is told that the request is still under way. */
    async function retried(body: object, key: Readonly<Record<string, string>>): Promise<string> {
      for (;;) {
        const reply = await post(healthy, '/api/courses', body, key)
        if (reply?.status === 201) return reply.id
        expect([409, 503]).toContain(reply?.status)
      }
    }

    it('its retries make one course of it, which both sides know of', async () => {
      const { world, functions } = stage
      const student = await world.students.create(aStudent())
      const made: string[] = []
      for (let packet = 1; ; packet++) {
        const body = aCourse([student.id])
        const key = { 'idempotency-key': randomUUID() }
        await using victim = functions.start('courses/create', { dieAt: `packet:${packet}` })
        // One that answers had fewer packets to send; of a slow database nothing is known yet.
        let reply = await post(victim, '/api/courses', body, key)
        while (reply?.status === 503) reply = await post(victim, '/api/courses', body, key)
        const answered = reply !== undefined
        if (!answered) expect(await victim.exited).toBe('SIGKILL')
        const id = await retried(body, key)
        expect(await retried(body, key)).toBe(id)
        const filter = { name: String(Reflect.get(body, 'name')) }
        const query = { limit: 10, sort: 'created_at', descending: false, filter }
        expect((await world.courses.repository.list(query)).items.map((one) => one.id)).toEqual([id])
        made.push(id)
        if (answered) break
      }
      // Both adapters need more than one, or there would have been no half way.
      expect(made.length).toBeGreaterThan(3)
      await sweep(world)
      await world.settle()
      for (const course of made) await expectLink(world, student.id, course, { present: true, origin: 'C' })
    })
  },
)
