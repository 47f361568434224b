import { limits } from '../../../shared/enrolment/links.ts'
import type { Register } from '../../../shared/enrolment/register.ts'
import type { History, Seen, Service } from '../history.ts'
import { membersOf, type Snapshot, type Stored } from '../snapshot/snapshot.ts'
import type { Finding } from './verdict.ts'

/**
 * Q1 and Q2; and that both keep the very same register, with its reason. Where messages were lost for good an enrolment
 * that came and went may have been told to neither: one side has no register of it, and nothing to show.
 */
export function judgeEquality(
  { faults }: Pick<History, 'faults'>,
  { students, courses }: Snapshot,
): Finding[] {
  const isLossy = faults.some(({ kind }) => kind === 'wipe')
  const compare = (student: string, course: string, ours?: Register, theirs?: Register): Finding[] => {
    const isSame =
      ours?.present === theirs?.present &&
      ours?.ts === theirs?.ts &&
      ours?.origin === theirs?.origin &&
      ours?.reason === theirs?.reason
    const isUntold = isLossy && !(ours && theirs) && !ours?.present && !theirs?.present
    const text = `student ${student} and course ${course}: the student's side has ${told(ours)}, the course's ${told(theirs)}`
    return isSame || isUntold ? [] : [{ judgement: 'asymmetric', text }]
  }
  const findings: Finding[] = []
  const byId = (side: { readonly entities: readonly Stored[] }): Map<string, Stored> =>
    new Map(side.entities.map((one) => [one.id, one]))
  const [allStudents, allCourses] = [byId(students), byId(courses)]
  for (const student of allStudents.values()) {
    for (const [id, ours] of Object.entries(student.links)) {
      const course = allCourses.get(id)
      if (course) findings.push(...compare(student.id, id, ours, course.links[student.id]))
      else if (ours.present)
        findings.push({
          judgement: 'dangling',
          text: `student ${student.id} has course ${id}, which does not exist`,
        })
    }
  }
  for (const course of allCourses.values()) {
    for (const [id, theirs] of Object.entries(course.links)) {
      const student = allStudents.get(id)
      if (student && !student.links[course.id]) findings.push(...compare(id, course.id, undefined, theirs))
      else if (!student && theirs.present)
        findings.push({
          judgement: 'dangling',
          text: `course ${course.id} has student ${id}, who does not exist`,
        })
    }
  }
  return findings
}

export const told = (register: Register | undefined): string =>
  register === undefined ? 'nothing' : JSON.stringify(register)

const most = { students: limits.student, courses: limits.course } as const

/** Q3, at the end and in every answer. */
export function judgeLimits({ writes, reads }: History, snapshot: Snapshot): Finding[] {
  const findings = new Map<string, Finding>()
  const look = (service: Service, { id }: { readonly id: string }, count: number, where: string): void => {
    if (count <= most[service] || findings.has(id)) return
    findings.set(id, {
      judgement: 'overfull',
      text: `${service} ${id} has ${count} links ${where}: at most ${most[service]}`,
    })
  }
  for (const service of ['students', 'courses'] as const)
    for (const one of snapshot[service].entities)
      look(service, one, membersOf(one).length, 'in its store at the end')
  const seenIn = (service: Service, seen: Seen, ended: number): void =>
    look(service, seen, seen.members.length, `in an answer at ${Math.round(ended)} ms`)
  for (const { service, seen, ended } of writes) if (seen) seenIn(service, seen, ended)
  for (const { service, seen, ended } of reads) for (const one of seen) seenIn(service, one, ended)
  return [...findings.values()]
}
