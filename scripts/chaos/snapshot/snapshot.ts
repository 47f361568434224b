import type { Register } from '../../../shared/enrolment/register.ts'
import type { Urls } from '../servers/servers.ts'
import { brokerState, type DeadLetter } from './broker.ts'
import { coursesInMongodb } from './mongodb.ts'
import { readPostgres } from './postgres.ts'

/** One student or course as its store has it, read without any code of the product. */
export interface Stored {
  readonly id: string
  readonly name: string
  readonly version: number
  readonly links: Readonly<Record<string, Register>>
}

/** One side's store. */
export interface StoredSide {
  readonly entities: readonly Stored[]
  /** Outbox entries that are not told. */
  readonly untold: number
}

export interface Snapshot {
  readonly students: StoredSide
  readonly courses: StoredSide
  /** Messages in each stream that workers or sweepers have to take. */
  readonly waiting: Readonly<Record<string, number>>
  readonly deadLetters: readonly DeadLetter[]
}

/** All that is stored, past the proxies. */
export async function takeSnapshot({ STUDENTS_URL, COURSES_URL, EVENTS_URL }: Urls): Promise<Snapshot> {
  const [students, courses, broker] = await Promise.all([
    readPostgres(STUDENTS_URL, 'students', 'name'),
    COURSES_URL.startsWith('mongodb:')
      ? coursesInMongodb(COURSES_URL)
      : readPostgres(COURSES_URL, 'courses', "document->>'name'"),
    brokerState(EVENTS_URL),
  ])
  return { students, courses, ...broker }
}

/** The ids that are linked. */
export function membersOf({ links }: Stored): string[] {
  return Object.entries(links).flatMap(([id, { present }]) => (present ? [id] : []))
}
