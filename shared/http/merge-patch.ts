import { isObject } from './validate.ts'

/** More levels than any valid body has. */
const deepest = 64

/**
 * What a merge patch (RFC 7396) makes of a value. Keys such as `__proto__` are plain data. Below 64 levels it merges no
 * more: that is invalid anyway, and a body can nest deeper than the stack.
 */
export function mergePatch(target: unknown, patch: unknown, level = 0): unknown {
  if (!isObject(patch) || level > deepest) return patch
  const merged = new Map(isObject(target) ? Object.entries(target) : [])
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key)
    else merged.set(key, mergePatch(merged.get(key), value, level + 1))
  }
  return Object.fromEntries(merged)
}
