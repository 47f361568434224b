import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { create, toBinary } from '@bufbuild/protobuf'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { NatsClient } from '../../shared/adapters/nats-client.ts'
import { NatsDeadLetters } from '../../shared/adapters/nats-dead-letters.ts'
import type { Register } from '../../shared/enrolment/register.ts'
import { LinkChangedSchema } from '../../shared/generated/registrar/v1/enrolment_pb.ts'
import { encodeLink } from '../../shared/messages/link-codec.ts'
import { until } from '../local/testing/fixture.ts'
import { letter } from './letters/letter.ts'
import { replay } from './letters/replay.ts'
import { command, type Linked, System } from './testing/system.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 })

const traceId = 'a'.repeat(32)
const traceparent = `00-${traceId}-${'b'.repeat(16)}-01`

interface Told {
  readonly id: number
  readonly reason: string
  readonly payload: { readonly summary?: string }
}

describe('dead letters', () => {
  let system: System
  beforeAll(async () => {
    system = await System.start()
  })
  afterAll(() => system?.[Symbol.asyncDispose]())
  afterEach(async () => {
    for (const { id } of await list()) await letters('drop', String(id))
  })

  const letters = (...args: string[]) => system.command('dead-letters', ...args)
  const list = async (): Promise<Told[]> => {
    const { code, objects } = await letters('list', '--json')
    expect(code).toBe(0)
    return objects as unknown as Told[]
  }
  const untilBuried = async (count: number): Promise<Told[]> => {
    await until(`${count} are buried`, async () => (await list()).length === count)
    return list()
  }
  /** As a worker of the courses gives a message up. */
  const bury = async (payload: Uint8Array, subject = 'student.modified'): Promise<void> => {
    await using graves = new NatsDeadLetters({
      url: system.urls.EVENTS_URL,
      name: 'test',
      consumer: 'courses-enrol',
    })
    const [reason, stream, id] = ['8 tries failed: internal', 'StudentModified', randomUUID()]
    await graves.bury({ payload, subject, reason, stream, id, traceparent })
  }
  const publish = async (payload: Uint8Array): Promise<void> => {
    await using client = new NatsClient({ url: system.urls.EVENTS_URL, name: 'test' })
    await (await client.jetstream()).publish('student.modified', payload)
  }
  const pair = async (): Promise<{
    student: Linked
    course: Linked
    told: (register: Register) => Uint8Array
  }> => {
    const course = await system.course()
    const student = await system.student([course.id])
    const told = (register: Register) =>
      encodeLink({ student_id: student.id, course_id: course.id, register })
    await system.settled()
    return { student, course, told }
  }
  const registerOf = async ({ course, student }: Awaited<ReturnType<typeof pair>>) => {
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
    const [told] = await untilBuried(1)
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
    const shown = await letters('show', id)
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
    expect((await letters('replay', id)).code).toBe(0)
    await until('it is back', async () => (await list()).some((one) => String(one.id) !== id))

    await sql`drop function courses.broken cascade`
    const replayed = await letters('replay', '--all')
    expect([replayed.code, replayed.out]).toEqual([
      0,
      expect.stringMatching(/^\d+ was sent to student.modified again\n$/),
    ])
    expect(await list()).toEqual([])
    await system.settled()
    expect(await system.send('GET', `students/${student.id}/enrolments`)).toMatchObject([
      { state: 'confirmed' },
    ])
    expect((await system.send('GET', `courses/${course.id}`)).student_ids).toEqual([student.id])
  })

  it('replayed twice, and long applied, it changes nothing', async () => {
    const one = await pair()
    const { present, ts, origin, version } = (await registerOf(one)) ?? {
      present: false,
      ts: 0,
      origin: '',
      version: 0,
    }
    const applied = one.told({ present, ts, origin })
    for (let i = 0; i < 2; i++) {
      await bury(applied)
      await bury(applied)
      expect((await letters('replay', '--all')).out.match(/sent to/g)).toHaveLength(2)
      await system.settled()
      expect(await registerOf(one)).toEqual({ present: true, ts, origin: 'S', version })
    }
    // Nor does what is out of date bring back what ended since.
    await system.send('PATCH', `courses/${one.course.id}`, { student_ids: [] })
    await system.settled()
    await bury(applied)
    expect((await letters('replay', '--all')).code).toBe(0)
    await system.settled()
    expect(await registerOf(one)).toMatchObject({ present: false, origin: 'C', version: version + 1 })
    expect((await system.send('GET', `students/${one.student.id}`)).course_ids).toEqual([])
  })

  it('stays when the stream takes its replay for a duplicate', async () => {
    const { told } = await pair()
    for (const ts of [1, 2]) await bury(told({ present: true, ts, origin: 'S' }))
    const [first, second] = await list()
    await using client = new NatsClient({ url: system.urls.EVENTS_URL, name: 'test' })
    const jetstream = await client.jetstream()
    const manager = await jetstream.jetstreamManager()
    const nonce = randomUUID()
    await replay(jetstream, manager, await letter(manager, first?.id ?? 0), nonce)
    await expect(replay(jetstream, manager, await letter(manager, second?.id ?? 0), nonce)).rejects.toThrow(
      /was not kept: StudentModified took it for a duplicate/,
    )
    expect(await list()).toMatchObject([{ id: second?.id }])
    await replay(jetstream, manager, await letter(manager, second?.id ?? 0))
    expect(await list()).toEqual([])
  })

  it('stays until its stream has it', async () => {
    const { told } = await pair()
    await bury(told({ present: true, ts: 1, origin: 'S' }))
    const [before] = await list()
    const most = (max_msg_size: number) =>
      system.broker((manager) => manager.streams.update('StudentModified', { max_msg_size }))
    await most(1)
    const refused = await letters('replay', '--all')
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringMatching(/^NATS does not serve \(.*size.*\)\.\n$/),
    ])
    expect(await list()).toEqual([{ ...before, age_seconds: expect.any(Number) }])
    await most(-1)
    expect((await letters('replay', String(before?.id))).code).toBe(0)
    expect(await list()).toEqual([])
  })

  it('garbage is shown as what it is, comes back when replayed, and is dropped', async () => {
    await publish(Buffer.from('\u0007garbage that is no protobuf'))
    const half = create(LinkChangedSchema, { studentId: 'nobody', courseId: 'f'.repeat(24) })
    await publish(toBinary(LinkChangedSchema, half))
    const [garbage, invalid] = await untilBuried(2)
    const shown = await letters('show', String(garbage?.id))
    expect(shown.out).toMatch(/ {4}07 67 61 72 .* \.garbage that is\n/)
    expect(shown.out).toContain('broken protobuf')
    const other = await letters('show', String(invalid?.id))
    expect(other.out).toContain('"student_id": "nobody"')
    expect(other.out).toMatch(/student_id is "nobody" instead of a lower-case UUID\n +register is missing\n/)
    const listed = await letters('list')
    expect(listed.out).toMatch(/student.modified -> courses-enrol: 28 bytes that are no valid LinkChanged\n/)

    expect((await letters('replay', String(garbage?.id))).code).toBe(0)
    const [, again] = await untilBuried(2)
    expect(again?.id).toBeGreaterThan(invalid?.id ?? 0)
    const dropped = await letters('drop', String(again?.id))
    expect([dropped.code, dropped.out]).toEqual([0, expect.stringContaining('dropped ')])
    for (const verb of ['drop', 'show', 'replay']) {
      const { code, err } = await letters(verb, String(again?.id))
      expect([code, err]).toEqual([1, `There is no dead letter ${again?.id}.\n`])
    }
    expect(await list()).toMatchObject([{ id: invalid?.id }])
  })

  it('one that was too large to be kept whole is not sent', async () => {
    await publish(Buffer.alloc(1024 * 1024 - 200, 7))
    const [large] = await untilBuried(1)
    const refused = await letters('replay', String(large?.id))
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringMatching(/ of 1048376 bytes: it can only be dropped\.\n$/),
    ])
    expect((await letters('show', String(large?.id))).out).toMatch(/1048376 bytes, of which \d+ were kept\n/)
    expect(await list()).toMatchObject([{ id: large?.id, bytes: 1048376 }])
  })

  it('one that names no worker of ours is not sent, and does not keep the others', async () => {
    const { told } = await pair()
    await bury(Buffer.from('x'), '$JS.API.STREAM.PURGE.StudentModified')
    await bury(told({ present: true, ts: 1, origin: 'S' }))
    const { code, out } = await letters('replay', '--all')
    expect(code).toBe(1)
    expect(out).toMatch(/names "\$JS.API.*can only be dropped\.\n\d+ was sent to student\.modified again\n$/)
    expect(await list()).toMatchObject([{ subject: '$JS.API.STREAM.PURGE.StudentModified' }])
  })

  it('needs nothing but a NATS that is there', async () => {
    const { code, err } = await system.commandOn(
      { EVENTS_URL: 'nats://u:secret@127.0.0.1:9' },
      'dead-letters',
      'list',
    )
    expect([code, err]).toEqual([1, expect.stringMatching(/^NATS does not serve \(.*\)\.\n$/)])
    expect(err).not.toContain('secret')
    const { EVENTS_URL } = system.urls
    const alone = await system.commandOn({ EVENTS_URL, DATA_DIR: '/nowhere' }, 'dead-letters', 'list')
    expect([alone.code, alone.err]).toEqual([0, 'There are no dead letters.\n'])
    const lost = await system.commandOn({ DATA_DIR: '/nowhere' }, 'dead-letters', 'list')
    expect([lost.code, lost.err]).toEqual([
      1,
      expect.stringMatching(/^There are no servers to work with: .* set EVENTS_URL\.\n$/),
    ])
    for (const name of ['dead-letters', 'reconcile', 'initialize']) {
      const help = await system.commandOn({ DATA_DIR: '/nowhere' }, name, '--help')
      expect([help.code, help.out]).toEqual([0, expect.stringContaining(`usage: npm run ${name} -- `)])
    }
  })
})

describe('of dead letters', () => {
  const tree = join(import.meta.dirname, '../..')

  it.each([
    [[], /^Say what to do/],
    [['burn'], /^There is no "burn": only list, show, replay and drop\.\n/],
    [['show'], /^Say which: show takes the number/],
    [['drop', '-1'], /^.*-1/],
    [['replay', 'x'], /^Say which/],
    [['drop', '--all'], /^--all is for replay alone/],
    [['list', '3'], /^"3" is one word too many/],
    [['list', '--color'], /--color/],
  ])('%j is told what is wrong with it', async (args, sentence) => {
    const { code, out, err } = await command(tree, { DATA_DIR: '/nowhere' }, ['dead-letters', ...args])
    expect([code, out, err]).toEqual([1, '', expect.stringMatching(sentence)])
    expect(err).toContain('usage: npm run dead-letters')
  })
})
