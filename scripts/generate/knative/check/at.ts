/** What is at a place that may not be there. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found: unknown = value
  for (const part of path)
    found = typeof found === 'object' && found !== null ? Reflect.get(found, part) : undefined
  return found
}

export function objectAt(
  value: unknown,
  ...path: readonly (string | number)[]
): Readonly<Record<string, unknown>> {
  const found = at(value, ...path)
  return typeof found === 'object' && found !== null ? { ...found } : {}
}
