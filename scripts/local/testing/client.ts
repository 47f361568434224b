import { expect } from 'vitest'
import type { Started } from './fixture.ts'

/** What tests look at of a student or a course. */
export interface Entity {
  readonly id: string
  readonly course_ids?: readonly string[]
  readonly student_ids?: readonly string[]
}

let counter = 0

export async function send(
  on: Started,
  method: string,
  path: string,
  body: unknown,
  headers = {},
): Promise<Entity> {
  const response = await on.fetch(path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  expect(response.status, `${method} ${path}`).toBeLessThan(300)
  const { data }: { data: Entity } = JSON.parse(await response.text())
  return data
}

export async function read<T>(on: Started, path: string): Promise<T> {
  const response = await on.fetch(path)
  expect(response.status, path).toBe(200)
  const { data }: { data: T } = JSON.parse(await response.text())
  return data
}

export const aStudent = (on: Started, courseIds: readonly string[] = [], headers = {}): Promise<Entity> =>
  send(
    on,
    'POST',
    '/api/students',
    { name: `Name ${++counter}`, first_name: 'Ada', last_name: 'Lovelace', course_ids: courseIds },
    headers,
  )

export const aCourse = (on: Started, studentIds: readonly string[] = []): Promise<Entity> =>
  send(on, 'POST', '/api/courses', {
    name: `Course ${++counter}`,
    discipline: 'Maths',
    teacher: 'Babbage',
    description: 'Engines',
    student_ids: studentIds,
  })
