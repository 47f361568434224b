import type { FunctionDeclaration } from './define-function.ts'
import type { FunctionName } from './names.ts'
import { needsOf } from './needs.ts'

/** A variable that holds the URL of a server, or of a function that answers lookups. */
export type Backing =
  | 'STUDENTS_URL'
  | 'COURSES_URL'
  | 'CACHE_URL'
  | 'EVENTS_URL'
  | 'STUDENTS_BY_COURSE_URL'
  | 'COURSES_BY_STUDENT_URL'

interface Sides {
  readonly database: Backing
  readonly lookup: Backing
}

const sides: Readonly<Record<string, Sides>> = {
  students: { database: 'STUDENTS_URL', lookup: 'COURSES_BY_STUDENT_URL' },
  courses: { database: 'COURSES_URL', lookup: 'STUDENTS_BY_COURSE_URL' },
}

/**
 * What each need reaches, so that a function is given this and no more: secrets, network, rights. That it is what
 * wiring.ts asks for is tested.
 */
const reached: Readonly<Record<string, readonly (Backing | keyof Sides)[]>> = {
  repository: ['database'],
  outbox: ['database'],
  tombstones: ['database'],
  writer: ['database', 'CACHE_URL', 'EVENTS_URL'],
  relay: ['database', 'CACHE_URL', 'EVENTS_URL'],
  staleness: ['CACHE_URL'],
  cache: ['CACHE_URL'],
  events: ['EVENTS_URL'],
  exhausted: ['EVENTS_URL'],
  lookup: ['lookup'],
  provisioners: ['STUDENTS_URL', 'COURSES_URL', 'EVENTS_URL'],
  mode: [],
}

/** The variables that a function's process reads to find its servers, in the order of their names. */
export function backingOf(name: FunctionName, declaration: FunctionDeclaration): readonly Backing[] {
  const own = sides[name.service]
  const found = needsOf(declaration).flatMap((need) => {
    const list = reached[need]
    if (!list)
      throw new Error(`${name.full} needs ${need}: shared/spec/backing.ts does not say what that reaches`)
    return list.map((one) => {
      if (one !== 'database' && one !== 'lookup') return one
      if (!own) throw new Error(`${name.full} needs ${need}, which ${name.service} has none of`)
      return own[one]
    })
  })
  // A worker pulls and buries messages itself.
  const ofTrigger: readonly Backing[] = declaration.trigger.kind === 'stream' ? ['EVENTS_URL'] : []
  return [...new Set([...found, ...ofTrigger])].sort()
}
