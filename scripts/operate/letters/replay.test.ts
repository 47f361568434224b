import { NatsError } from 'nats'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { NatsClient } from '../../../shared/adapters/nats-client.ts'
import type { Register } from '../../../shared/enrolment/register.ts'
import { until } from '../../local/testing/fixture.ts'
import { Letters, type Pair, traceId, traceparent } from '../testing/letters.ts'
import { System } from '../testing/system.ts'
import { letter } from './letter.ts'
import { replay, replayId } from './replay.ts'

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

  it('two replays at once send each letter once, and no poison multiplies', async () => {
    const count = 30
    for (let i = 0; i < count; i++) await letters.publish(Buffer.from(`\u0007poison ${i}`))
    const buried = await letters.untilBuried(count)
    const both = await Promise.all([0, 1].map(() => letters.command('replay', '--all', '--json')))
    expect(both.map(({ code, err }) => [code, err])).toEqual([
      [0, ''],
      [0, ''],
    ])
    const told = both.flatMap(({ objects }) => objects)
    const sent = told.filter(({ replayed }) => replayed).map(({ id }) => id)
    expect(new Set(sent).size).toBe(sent.length)
    expect(sent).toEqual(expect.arrayContaining(buried.map(({ id }) => id)))
    await system.untilHeld({})
    expect(await letters.list()).toHaveLength(count)
  })

  it('is sent once by two that hold it, and again at once when it comes back', async () => {
    await letters.publish(Buffer.from('\u0007poison'))
    const [buried] = await letters.untilBuried(1)
    await using client = new NatsClient({ url: system.urls.EVENTS_URL, name: 'test' })
    const jetstream = await client.jetstream()
    const manager = await jetstream.jetstreamManager()
    const held = await letter(manager, buried?.id ?? 0)
    expect(await replay(jetstream, manager, held)).toBe('sent')
    expect(await replay(jetstream, manager, held)).toBe('sent before')
    const [back] = await letters.untilBuried(1)
    expect(back?.id).toBeGreaterThan(held.id)
    const again = await letters.command('replay', String(back?.id))
    expect([again.code, again.out]).toEqual([0, `${back?.id} was sent to student.modified again\n`])
    const [last] = await letters.untilBuried(1)
    expect(last?.id).toBeGreaterThan(back?.id ?? 0)
  })

  it('is taken out, and said to be sent before, when its replay died in between', async () => {
    const { told } = await letters.pair()
    await letters.bury(told({ present: true, ts: 1, origin: 'S' }))
    const [buried] = await letters.list()
    await system.broker(async (manager) => {
      const held = await letter(manager, buried?.id ?? 0)
      await using client = new NatsClient({ url: system.urls.EVENTS_URL, name: 'test' })
      const jetstream = await client.jetstream()
      await jetstream.publish(held.subject, held.payload, { msgID: replayId(held) })
    })
    const repeated = await letters.command('replay', '--all')
    expect([repeated.code, repeated.out]).toEqual([
      0,
      `${buried?.id} had been sent to student.modified by another replay\n`,
    ])
    expect(await letters.list()).toEqual([])
  })

  it('stays while the replicas of its stream do not know whether they have it of another replay', async () => {
    const { told } = await letters.pair()
    await letters.bury(told({ present: true, ts: 1, origin: 'S' }))
    const [buried] = await letters.list()
    const conflict = new NatsError('duplicate message id is in process', '409')
    conflict.api_error = { code: 409, err_code: 10158, description: conflict.message }
    await system.broker(async (manager) => {
      const held = await letter(manager, buried?.id ?? 0)
      const asked = replay({ publish: () => Promise.reject(conflict) }, manager, held)
      await expect(asked).rejects.toThrow(`Dead letter ${held.id} is being sent by another replay`)
    })
    expect(await letters.list()).toMatchObject([{ id: buried?.id }])
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
