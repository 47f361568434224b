/** In V8 since Node 21; not in TypeScript's library yet. */
const { rawJSON } = JSON as typeof JSON & { rawJSON(text: string): unknown }

/** JSON that parses back to the very same value: `JSON.stringify` writes -0 as 0. */
export function exactJson(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => (Object.is(one, -0) ? rawJSON('-0') : one))
}
