import { expect } from 'vitest'
import { limits } from '../enrolment/links.ts'
import type { LinkMessage } from '../enrolment/messages.ts'
import { compareRegisters, type Register } from '../enrolment/register.ts'
import type { World } from './enrolment-world.ts'

/** Q1 to Q4 of docs/enrolment-protocol.md, of a world at rest; the ids are all that were ever made. */
export async function expectConverged(
  world: World,
  ids: { readonly students: readonly string[]; readonly courses: readonly string[] },
): Promise<void> {
  const registers = {
    students: await registersOf(world, 'students', ids.students),
    courses: await registersOf(world, 'courses', ids.courses),
  }
  const pairs = (own: 'students' | 'courses'): string[] =>
    [...registers[own]].flatMap(([id, links]) =>
      [...links].flatMap(([other, { present }]) =>
        present ? [own === 'students' ? `${id} ${other}` : `${other} ${id}`] : [],
      ),
    )
  // Q1, and with it Q2: what does not exist has no registers.
  expect(pairs('students').toSorted()).toEqual(pairs('courses').toSorted())
  // Q3, at every commit.
  const most = (own: 'students' | 'courses') => Math.max(...world[own].commits.map(({ present }) => present))
  expect(most('students')).toBeLessThanOrEqual(limits.student)
  expect(most('courses')).toBeLessThanOrEqual(limits.course)
  for (const [link, highest] of highestRegisters(world)) {
    const [student = '', course = ''] = link.split(' ')
    const [ofStudent, ofCourse] = [registers.students.get(student), registers.courses.get(course)]
    if (ofStudent) expectKept(link, ofStudent.get(course), highest, ofCourse !== undefined)
    if (ofCourse) expectKept(link, ofCourse.get(student), highest, ofStudent !== undefined)
  }
}

/** Q4: whatever was committed stands, or is less than what stands, which a client wrote or a reason explains. */
function expectKept(link: string, stands: Register | undefined, highest: Register, both: boolean): void {
  const what = `${link}: ${JSON.stringify(stands)} stands, ${JSON.stringify(highest)} was committed`
  if (both) {
    expect(stands, what).toEqual(highest)
    return
  }
  // The other end is gone. Its own word of that may have been lost, with the answer for it in no commit.
  expect(stands?.present, what).toBe(false)
  if (stands && compareRegisters(stands, highest) !== 0) expect(stands.reason, what).toMatch(/_not_found$/)
}

async function registersOf(world: World, own: 'students' | 'courses', ids: readonly string[]) {
  const found = await Promise.all(ids.map(async (id) => [id, await world[own].repository.links(id)] as const))
  return new Map(found.flatMap(([id, links]) => (links ? [[id, links] as const] : [])))
}

/** Of every link that a commit told of, the register that must stand in the end. */
function highestRegisters({ students, courses }: World): Map<string, Register> {
  const highest = new Map<string, Register>()
  for (const { kind, links } of [...students.commits, ...courses.commits]) {
    for (const message of links) {
      if (kind === 'compensation') expect(message.register.reason).toBeDefined()
      const key = keyOf(message)
      const known = highest.get(key)
      if (!known || compareRegisters(message.register, known) > 0) highest.set(key, message.register)
    }
  }
  return highest
}

const keyOf = ({ student_id, course_id }: LinkMessage): string => `${student_id} ${course_id}`
