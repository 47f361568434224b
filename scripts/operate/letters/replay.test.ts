import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { NatsClient } from '../../../shared/adapters/nats-client.ts'
import type { Register } from '../../../shared/enrolment/register.ts'
import { until } from '../../local/testing/fixture.ts'
import { Letters, type Pair, traceId, traceparent } from '../testing/letters.ts'
import { System } from '../testing/system.ts'
import { letter } from './letter.ts'
import { replay } from './replay.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 })

describe('a dead letter that is replayed', () => {
  let system: System
  let letters: Letters
  beforeAll(async () => {
    system = await System.start()
    letters = new Letters(system)
  })
  afterAll(() => system?.[Symbol.asyncDispose]())
  afterEach(() => letters.dropAll())

  const registerOf = async ({ course, student }: Pair) => {
    const [row] =
      await system.sql`select l.present, l.ts::float8 as ts, l.origin, e.version from courses.links l
      join courses.entities e on e.id = l.owner where l.owner = ${course.id} and l.member = ${student.id}`
    return row as (Register & { version: number }) | undefined
  }

  it('one whose reason was mended is replayed, and becomes visible on both sides', async () => {
    const { sql } = system
    const course = await system.course()
    await sql`create function courses.broken() returns trigger language plpgsql as $$ begin raise 'broken'; end $$`
    await sql`create trigger broken before insert on courses.links for each row execute function courses.broken()`
    const names = { name: 'Countess', first_name: 'Ada', last_name: 'Lovelace' }
    const student = await system.send(
      'POST',
      'students',
      { ...names, course_ids: [course.id] },
      { traceparent },
    )
    const [told] = await letters.untilBuried(1)
    const summary = `add student ${student.id}, course ${course.id}`
    expect(told).toMatchObject({
      reason: '8 tries failed: internal',
      subject: 'student.modified',
      stream: 'StudentModified',
      consumer: 'courses-enrol',
      trace_id: traceId,
      payload: { kind: 'LinkChanged', summary, problems: [], content: { course_id: course.id } },
    })
    const id = String(told?.id)
    const shown = await letters.command('show', id)
    for (const text of [
      `payload   LinkChanged`,
      summary,
      `trace id  ${traceId}`,
      '8 tries failed',
      'ORIGIN_STUDENT',
    ])
      expect(shown.out).toContain(text)
    // Nothing is under way, and the sides differ.
    const differing = await system.command('reconcile', '--id', student.id)
    expect([differing.code, differing.out]).toEqual([2, expect.stringMatching(/^missing register: student /)])
    // Without mending it comes back, as another one.
    expect((await letters.command('replay', id)).code).toBe(0)
    await until('it is back', async () => (await letters.list()).some((one) => String(one.id) !== id))

    await sql`drop function courses.broken cascade`
    const replayed = await letters.command('replay', '--all')
    expect([replayed.code, replayed.out]).toEqual([
      0,
      expect.stringMatching(/^\d+ was sent to student.modified again\n$/),
    ])
    expect(await letters.list()).toEqual([])
    await system.settled()
    expect(await system.send('GET', `students/${student.id}/enrolments`)).toMatchObject([
      { state: 'confirmed' },
    ])
    expect((await system.send('GET', `courses/${course.id}`)).student_ids).toEqual([student.id])
  })

  it('replayed twice, and long applied, it changes nothing', async () => {
    const one = await letters.pair()
    const { present, ts, origin, version } = (await registerOf(one)) ?? {
      present: false,
      ts: 0,
      origin: '',
      version: 0,
    }
    const applied = one.told({ present, ts, origin })
    for (let i = 0; i < 2; i++) {
      await letters.bury(applied)
      await letters.bury(applied)
      expect((await letters.command('replay', '--all')).out.match(/sent to/g)).toHaveLength(2)
      await system.settled()
      expect(await registerOf(one)).toEqual({ present: true, ts, origin: 'S', version })
    }
    // Nor does what is out of date bring back what ended since.
    await system.send('PATCH', `courses/${one.course.id}`, { student_ids: [] })
    await system.settled()
    await letters.bury(applied)
    expect((await letters.command('replay', '--all')).code).toBe(0)
    await system.settled()
    expect(await registerOf(one)).toMatchObject({ present: false, origin: 'C', version: version + 1 })
    expect((await system.send('GET', `students/${one.student.id}`)).course_ids).toEqual([])
  })

  it('stays when the stream takes its replay for a duplicate', async () => {
    const { told } = await letters.pair()
    for (const ts of [1, 2]) await letters.bury(told({ present: true, ts, origin: 'S' }))
    const [first, second] = await letters.list()
    await using client = new NatsClient({ url: system.urls.EVENTS_URL, name: 'test' })
    const jetstream = await client.jetstream()
    const manager = await jetstream.jetstreamManager()
    const nonce = randomUUID()
    await replay(jetstream, manager, await letter(manager, first?.id ?? 0), nonce)
    await expect(replay(jetstream, manager, await letter(manager, second?.id ?? 0), nonce)).rejects.toThrow(
      /was not kept: StudentModified took it for a duplicate/,
    )
    expect(await letters.list()).toMatchObject([{ id: second?.id }])
    await replay(jetstream, manager, await letter(manager, second?.id ?? 0))
    expect(await letters.list()).toEqual([])
  })

  it('stays until its stream has it', async () => {
    const { told } = await letters.pair()
    await letters.bury(told({ present: true, ts: 1, origin: 'S' }))
    const [before] = await letters.list()
    const most = (max_msg_size: number) =>
      system.broker((manager) => manager.streams.update('StudentModified', { max_msg_size }))
    await most(1)
    const refused = await letters.command('replay', '--all')
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringMatching(/^NATS does not serve \(.*size.*\)\.\n$/),
    ])
    expect(await letters.list()).toEqual([{ ...before, age_seconds: expect.any(Number) }])
    await most(-1)
    expect((await letters.command('replay', String(before?.id))).code).toBe(0)
    expect(await letters.list()).toEqual([])
  })
})
