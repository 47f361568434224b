import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { mongoCourses } from '../../functions/courses/adapters/mongo-courses.ts'
import { MongoIndexes } from '../../shared/adapters/mongo-indexes.ts'
import { testDatabase } from '../../shared/testing/database.ts'
import { describeMongo, testMongo } from '../../shared/testing/mongo.ts'
import { inTens, type Linked, System } from './testing/system.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

/** More than a page of the comparison. */
const many = 140

function drills(open: (stack: AsyncDisposableStack) => Promise<System>): void {
  const stack = new AsyncDisposableStack()
  let system: System
  let students: Linked[]
  let courses: Linked[]
  beforeAll(async () => {
    system = await open(stack)
    courses = await inTens(many, () => system.course())
    students = await inTens(many, (i) => system.student([0, 1, 2].map((j) => at(courses, i + j))))
    await system.settled()
  })
  afterAll(() => stack.disposeAsync())

  const at = (list: readonly Linked[], i: number): string => list[i % many]?.id ?? ''
  /** Kinds of the differences, each with its pair. */
  const found = async (...args: string[]): Promise<[code: number, string[]]> => {
    const { code, objects } = await system.command('reconcile', '--json', ...args)
    const lines = objects
      .slice(0, -1)
      .map(({ kind, student_id, course_id }) => `${kind} ${student_id} ${course_id}`)
    return [code, lines.toSorted()]
  }
  /** Both sides show the same to their clients, and no cache says otherwise. */
  const expectEqual = async (): Promise<string[]> => {
    const shown = await system.shown()
    expect(shown.courses).toEqual(shown.students)
    return shown.students
  }
  const enrolled = async (id: string): Promise<Record<string, string>> => {
    const states = (await system.send('GET', `students/${id}/enrolments`)) as unknown as {
      course_id: string
      state: string
      reason?: string
    }[]
    return Object.fromEntries(states.map(({ course_id, state, reason }) => [course_id, reason ?? state]))
  }
  const patch = (what: string, id: string, ids: readonly string[]): Promise<Linked> =>
    system.send('PATCH', `${what}/${id}`, { [what === 'students' ? 'course_ids' : 'student_ids']: ids })

  it('is equal where nothing happened, however much there is', async () => {
    const { code, out } = await system.command('reconcile')
    expect([code, out]).toEqual([
      0,
      `equal: ${many} students and ${many} courses with ${3 * many} enrolments\n`,
    ])
  })

  it('what is on its way is no drift: it is waited for, with the answers to it', async () => {
    const [one, absent] = [at(students, 0), 'e'.repeat(24)]
    await system.pause('students-fan-out', 'courses-enrol', 'students-enrol')
    await patch('students', one, [at(courses, 5), absent])
    await system.untilHeld({ StudentToModify: 1 })
    const { ended } = await system.waitingCommand('reconcile')
    await system.resume('students-fan-out')
    await system.untilHeld({ StudentModified: 5 })
    await system.resume('courses-enrol')
    await system.untilHeld({ CourseModified: 1 })
    await system.resume('students-enrol')
    const { code, out } = await ended
    expect([code, out]).toEqual([0, expect.stringMatching(/^equal: .*; 5 in flight have arrived\n$/)])
    expect(await enrolled(one)).toEqual({ [at(courses, 5)]: 'confirmed', [absent]: 'course_not_found' })
  })

  it('what does not arrive is told as such, and nothing is repaired meanwhile', async () => {
    await system.pause('courses-enrol')
    await patch('students', at(students, 1), [at(courses, 5)])
    await system.untilHeld({ StudentModified: 4 })
    const checked = await system.command('reconcile', '--wait', '1')
    expect([checked.code, checked.out]).toEqual([2, expect.stringContaining(', maybe in flight: student ')])
    expect(checked.out).toMatch(/\n0 differences among .*; 4 more that may be in flight\n$/)
    const repaired = await system.command('reconcile', '--repair', '--wait', '1')
    expect([repaired.code, repaired.out]).toEqual([1, ''])
    expect(repaired.err).toMatch(/\nNothing can be repaired .*\(stream StudentModified: 4\): see that/)
    await system.resume('courses-enrol')
    await system.settled()
  })

  it('after the store of JetStream was wiped', async () => {
    await system.pause('students-enrol', 'courses-enrol')
    const [one, two, lost] = [
      at(students, 10),
      at(students, 20),
      await system.student(['f'.repeat(24), at(courses, 30)]),
    ]
    await patch('students', one, [at(courses, 10), at(courses, 40)])
    await patch('courses', at(courses, 50), [two, at(students, 50)])
    await system.send('DELETE', `courses/${at(courses, 22)}`)
    await system.untilHeld({ StudentModified: 5, CourseModified: 6 })
    await system.wipeNats()

    const expected = [
      `asymmetric ${one} ${at(courses, 11)}`,
      `asymmetric ${one} ${at(courses, 12)}`,
      `asymmetric ${at(students, 48)} ${at(courses, 50)}`,
      `asymmetric ${at(students, 49)} ${at(courses, 50)}`,
      `missing end ${two} ${at(courses, 22)}`,
      `missing end ${at(students, 21)} ${at(courses, 22)}`,
      `missing end ${at(students, 22)} ${at(courses, 22)}`,
      `missing end ${lost.id} ${'f'.repeat(24)}`,
      `missing register ${lost.id} ${at(courses, 30)}`,
      `missing register ${one} ${at(courses, 40)}`,
      `missing register ${two} ${at(courses, 50)}`,
    ].toSorted()
    expect(await found('--check')).toEqual([2, expected])
    // Of one of them alone, from either end.
    expect(await found('--id', two)).toEqual([2, expected.filter((line) => line.includes(two))])
    const full = at(courses, 50)
    expect(await found('--id', full)).toEqual([2, expected.filter((line) => line.includes(full))])
    expect(await found('--repair', '--id', full)).toEqual([0, expected.filter((line) => line.includes(full))])
    expect(await found('--check')).toEqual([2, expected.filter((line) => !line.includes(full))])

    const repaired = await system.command('reconcile', '--repair')
    expect([repaired.code, repaired.out]).toEqual([
      0,
      expect.stringMatching(/\nequal: .*; 8 registers were told again\n$/),
    ])
    await system.settled()
    await expectEqual()
    expect(await enrolled(lost.id)).toEqual({
      ['f'.repeat(24)]: 'course_not_found',
      [at(courses, 30)]: 'confirmed',
    })
    expect((await system.send('GET', `courses/${full}`)).student_ids).toEqual([at(students, 50), two])
  })

  it.each(['students', 'courses'] as const)(
    'after the %s were restored from an older backup',
    async (side) => {
      const full = await system.student(Array.from({ length: 15 }, (_, i) => at(courses, 60 + i)))
      const kept = await system.student([at(courses, 80)])
      await system.settled()
      const backup = await system.backup(side)

      const young = await system.student([at(courses, 81)])
      const youngCourse = await system.course([kept.id])
      // Room for the new one is made by the end of an old one.
      await patch('students', full.id, [
        ...Array.from({ length: 14 }, (_, i) => at(courses, 60 + i)),
        at(courses, 90),
      ])
      await patch('courses', at(courses, 80), [at(students, 1)])
      await system.send('DELETE', `students/${at(students, side === 'students' ? 100 : 101)}`)
      await system.send('DELETE', `courses/${at(courses, side === 'students' ? 110 : 120)}`)
      await system.settled()

      await backup.restore()
      await system.flushCache()
      expect((await system.command('initialize', '--check')).code).toBe(0)
      const [code, lines] = await found('--check')
      expect([code, lines.length]).toEqual([2, expect.any(Number)])
      expect(lines.length).toBeGreaterThan(5)
      expect((await system.command('reconcile', '--repair')).code).toBe(0)
      await system.settled()
      const all = await expectEqual()

      // What the other side knows stands; what only the restored side knew is taken back.
      expect(await enrolled(full.id)).toMatchObject({ [at(courses, 90)]: 'confirmed' })
      expect(all.filter((pair) => pair.startsWith(full.id))).toHaveLength(15)
      expect(all).not.toContain(`${kept.id} ${at(courses, 80)}`)
      if (side === 'students') {
        const { student_ids } = await system.send('GET', `courses/${at(courses, 81)}`)
        expect(student_ids).not.toContain(young.id)
        expect(all).toContain(`${kept.id} ${youngCourse.id}`)
      } else {
        expect(all).toContain(`${young.id} ${at(courses, 81)}`)
        expect(await enrolled(kept.id)).toMatchObject({ [youngCourse.id]: 'course_not_found' })
      }
      expect(await found('--check')).toEqual([0, []])
    },
  )

  it('tells limits that do not hold, registers that differ without an effect, and what waits for too long', async () => {
    const { sql } = system
    const one = at(students, 130)
    const unequal = at(students, 131)
    await sql`update students.links set ts = ts + 1000 where owner = ${unequal} and member = ${at(courses, 131)}`
    await sql`insert into students.links (owner, member, present, ts, origin)
      select ${one}, lpad(to_hex(n), 24, '0'), true, 1, 'S' from generate_series(1, 13) n`
    // An entry that nobody can tell.
    const id = crypto.randomUUID()
    const entry = { id, kind: 'compensation', subject: one, stale: [], links: [{}], traceparent: '' }
    await sql`insert into students.outbox (id, entry, created_at)
      values (${id}, ${sql.json(entry)}, now() - interval '1 hour')`
    onTestFinished(async () => void (await sql`delete from students.outbox where id = ${id}`))
    const { code, out } = await system.command('reconcile', '--wait', '2')
    expect(code).toBe(2)
    expect(out).toContain(`limit: student ${one} has 16 links present instead of at most 15\n`)
    expect(out).toMatch(/pending: outbox of the students has 1 that wait, the oldest for 3[67]\d\d s\n/)
    expect(out).toContain(`unequal registers, maybe in flight: student ${unequal}`)
    await sql`delete from students.outbox where id = ${id}`
    const [, lines] = await found()
    expect(lines.filter((line) => !line.startsWith('missing end'))).toEqual([
      `limit ${one} undefined`,
      `unequal registers ${unequal} ${at(courses, 131)}`,
    ])
    expect(await found('--repair')).toMatchObject([0, { length: 14 }])
    await expectEqual()
  })

  it('does not take everything back because a side is not there', async () => {
    await using empty = await testDatabase()
    const before = await expectEqual()
    const env = { ...system.urls, COURSES_URL: empty.url }
    const one = before[0]?.split(' ')[0] ?? ''
    for (const args of [[], ['--id', one]]) {
      const { code, err } = await system.commandOn(env, 'reconcile', '--repair', ...args)
      expect([code, err]).toEqual([1, expect.stringMatching(/^There are no courses at all: .* COURSES_URL/)])
    }
    await system.settled()
    expect(await expectEqual()).toEqual(before)
  })

  it('a database without the schema names what makes it', async () => {
    const { STUDENTS_URL } = system.urls
    await system.sql`create database without_schema`
    onTestFinished(async () => void (await system.sql`drop database without_schema`))
    const bare = new URL(STUDENTS_URL)
    bare.pathname = '/without_schema'
    for (const [name, side] of [
      ['STUDENTS_URL', 'students'],
      ['COURSES_URL', 'courses'],
    ] as const) {
      const { code, out, err } = await system.commandOn({ ...system.urls, [name]: bare.href }, 'reconcile')
      const sentence = `The database of the ${side} has not what this needs (relation "${side}.`
      expect([code, out, err]).toEqual([1, '', expect.stringContaining(sentence)])
      expect(err).toMatch(/ does not exist\): npm run initialize makes it\.\n$/)
    }
  })

  it('a server that is away is a sentence and exit code 1', async () => {
    const away = { STUDENTS_URL: 'postgres://a:secret@127.0.0.1:9/a', EVENTS_URL: 'nats://127.0.0.1:9' }
    for (const [name, url] of Object.entries(away)) {
      const { code, err } = await system.commandOn({ ...system.urls, [name]: url }, 'reconcile')
      expect([code, err]).toEqual([1, expect.stringMatching(/^(It failed: the database|NATS) .*\.\n$/)])
      expect(err).not.toContain('secret')
    }
    const COURSES_URL = 'mongodb://a:secret@127.0.0.1:9/a'
    const mongo = await system.commandOn({ ...system.urls, COURSES_URL }, 'reconcile')
    expect([mongo.code, mongo.err]).toEqual([
      1,
      expect.stringMatching(/^It failed: the database of the courses .* \(.*ECONNREFUSED.*\)\.\n$/),
    ])
    expect(mongo.err).not.toContain('secret')
    expect((await system.command('reconcile', '--id', at(students, 0).replace(/.$/, 'x'))).code).toBe(1)
    const unknown = await system.command('reconcile', '--id', 'e'.repeat(24))
    expect([unknown.code, unknown.err]).toEqual([1, `There is no course ${'e'.repeat(24)}.\n`])
  })
}

describe('with courses as documents in Postgres, reconcile', () =>
  drills(async (stack) => stack.use(await System.start())))

await describeMongo('with courses in MongoDB, reconcile', 'any', () =>
  drills(async (stack) => {
    const { url } = stack.use(await testMongo())
    for (const step of await new MongoIndexes({ url, mapping: mongoCourses }).plan()) await step.apply()
    return stack.use(await System.start(url))
  }),
)
