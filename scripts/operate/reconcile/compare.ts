import { limits, presentIds } from '../../../shared/enrolment/links.ts'
import type { Register, Side } from '../../../shared/enrolment/register.ts'
import { Refusal } from '../../local/refusal.ts'
import { halfOf, kindOf, type Pair } from './pair.ts'
import { pagesOf, type Store, type Stored } from './store.ts'

/** One that has more links than it may have. */
export interface Overfull {
  readonly side: Side
  readonly id: string
  readonly present: number
  readonly most: number
}

export interface Stores {
  readonly S: Store
  readonly C: Store
}

/** What a comparison has seen so far. */
export interface Seen {
  students: number
  courses: number
  /** Enrolments that the students' side shows. */
  enrolments: number
}

export type Found = { readonly pair: Pair } | { readonly overfull: Overfull }

/** How many aggregates are in memory at a time, from either side. */
const size = 100

/**
 * Everything in which the two stores differ at the moment, what is merely in flight included. Walks over the students
 * with all their registers, then over the courses for what the students have not heard of.
 */
export async function* differences({ S, C }: Stores, seen: Seen): AsyncIterable<Found> {
  for await (const page of pagesOf(S, size)) {
    for (const own of page) seen.enrolments += presentIds(own.links).length
    seen.students += page.length
    yield* against(S, page, C, () => true)
  }
  for await (const page of pagesOf(C, size)) {
    seen.courses += page.length
    // Where the student has a register too, the pair was looked at from there.
    yield* against(C, page, S, ({ present }, other) => present && !other)
  }
}

/** The same for one student or course, known by the form of its id. @throws Refusal when nobody has heard of it. */
export async function* differencesOf(id: string, { S, C }: Stores, seen: Seen): AsyncIterable<Found> {
  const [own, other] = /^[\da-f]{24}$/.test(id) ? [C, S] : [S, C]
  const stored = (await own.about([id])).get(id)
  const shownBy = await other.showing(id, 10_000)
  if (!stored && shownBy.length === 0)
    throw new Refusal(`There is no ${own.side === 'S' ? 'student' : 'course'} ${id}.`)
  if (stored) {
    seen[own.side === 'S' ? 'students' : 'courses']++
    seen.enrolments += presentIds(stored.links).length
    yield* against(own, [stored], other, () => true)
  }
  for (const ids of chunks(shownBy.filter((otherId) => !stored?.links.has(otherId)))) {
    const there = await other.about(ids, [id])
    for (const otherId of ids)
      yield* differing(own.side, { id, stored }, { id: otherId, stored: there.get(otherId) })
  }
}

/** Compares those links of a page for which `wanted` asks, by their register and the one that the other side has. */
async function* against(
  own: Store,
  page: readonly Stored[],
  other: Store,
  wanted: (register: Register, other: Register | undefined) => boolean,
): AsyncIterable<Found> {
  const most = limits[own.side === 'S' ? 'student' : 'course']
  for (const { id, links } of page) {
    const present = presentIds(links).length
    if (present > most) yield { overfull: { side: own.side, id, present, most } }
  }
  const ids = page.map(({ id }) => id)
  for (const otherIds of chunks([...new Set(page.flatMap(({ links }) => [...links.keys()]))])) {
    const there = await other.about(otherIds, ids)
    for (const otherId of otherIds) {
      for (const stored of page) {
        const register = stored.links.get(otherId)
        const its = there.get(otherId)
        if (register && wanted(register, its?.links.get(stored.id)))
          yield* differing(own.side, { id: stored.id, stored }, { id: otherId, stored: its })
      }
    }
  }
}

interface End {
  readonly id: string
  readonly stored: Stored | undefined
}

function* differing(side: Side, own: End, other: End): Iterable<Found> {
  const [student, course] = side === 'S' ? [own, other] : [other, own]
  const pair: Pair = {
    student_id: student.id,
    course_id: course.id,
    students: halfOf(student.stored, course.id),
    courses: halfOf(course.stored, student.id),
  }
  if (kindOf(pair)) yield { pair }
}

/** The same pairs as they are now. */
export async function lookAgain({ S, C }: Stores, pairs: readonly Pair[]): Promise<Pair[]> {
  const students = pairs.map(({ student_id }) => student_id)
  const courses = pairs.map(({ course_id }) => course_id)
  const [ofStudents, ofCourses] = await Promise.all([S.about(students, courses), C.about(courses, students)])
  return pairs.map(({ student_id, course_id }) => ({
    student_id,
    course_id,
    students: halfOf(ofStudents.get(student_id), course_id),
    courses: halfOf(ofCourses.get(course_id), student_id),
  }))
}

function* chunks(ids: readonly string[]): Iterable<readonly string[]> {
  for (let at = 0; at < ids.length; at += size) yield ids.slice(at, at + size)
}
