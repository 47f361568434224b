/*
 * The benchmark's rows have ids that follow from their numbers, so that a generator can make millions of them without
 * being told any. They are ordered by time, as those that the services make.
 */

const hex = (n: number): string => n.toString(16).padStart(8, '0')

export const studentId = (n: number): string => `${hex(n)}-0000-7000-8000-000000000000`
export const courseId = (n: number): string => `${hex(n)}${'0'.repeat(16)}`

/** SQL of the same over a column of integers. */
export const studentIdSql = (n: string): string =>
  `(lpad(to_hex(${n}), 8, '0') || '-0000-7000-8000-000000000000')::uuid`
export const courseIdSql = (n: string): string => `(lpad(to_hex(${n}), 8, '0') || repeat('0', 16))`

/** A template with its `$student`, `$course` and `$n` filled in for one number. */
export function filled(template: string, n: number): string {
  if (!template.includes('$')) return template
  return template
    .replaceAll('$student', studentId(n))
    .replaceAll('$course', courseId(n))
    .replaceAll('$n', n.toString(36).padStart(6, '0'))
}
