import { randomBytes, randomUUID } from 'node:crypto'
import { limits } from '../../../shared/enrolment/links.ts'
import type { Seen, Service } from '../history.ts'
import type { Random } from '../random.ts'

/** What the clients know of the students and courses that there are: theirs, and so maybe out of date. */
export class Population {
  readonly #known: Record<Service, Map<string, Seen>> = { students: new Map(), courses: new Map() }
  readonly #gone: Record<Service, Set<string>> = { students: new Set(), courses: new Set() }
  #names = 0

  see(service: Service, seen: readonly Seen[]): void {
    for (const one of seen) {
      const before = this.#known[service].get(one.id)
      if (!this.#gone[service].has(one.id) && (!before || before.version <= one.version))
        this.#known[service].set(one.id, one)
    }
  }

  forget(service: Service, id: string): void {
    this.#gone[service].add(id)
    this.#known[service].delete(id)
  }

  /** Those that were deleted, or not found. */
  gone(service: Service): string[] {
    return [...this.#gone[service]]
  }

  ids(service: Service): string[] {
    return [...this.#known[service].keys()]
  }

  all(service: Service): Seen[] {
    return [...this.#known[service].values()]
  }

  get(service: Service, id: string): Seen | undefined {
    return this.#known[service].get(id)
  }

  count(service: Service): number {
    return this.#known[service].size
  }

  /** A name that no write has given before. */
  newName(): string {
    return `n${(++this.#names).toString(36).padStart(5, '0')}`
  }

  /** An id of the other side; now and then one that does not exist. */
  other(service: Service, random: Random): string {
    const other = service === 'students' ? 'courses' : 'students'
    const id = random.chance(0.03) ? undefined : random.pick(this.ids(other))
    return id ?? (other === 'courses' ? randomBytes(12).toString('hex') : randomUUID())
  }
}

export function bodyOf(service: Service, name: string, members: readonly string[]): object {
  return service === 'students'
    ? { name, first_name: 'Ada', last_name: 'Lovelace', course_ids: members }
    : {
        name,
        discipline: 'Chaos',
        teacher: 'Lorenz',
        description: 'What breaks, and what stays',
        student_ids: members,
      }
}

export const linkField = { students: 'course_ids', courses: 'student_ids' } as const
export const limitOf = { students: limits.student, courses: limits.course } as const
