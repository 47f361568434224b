/** Whether a list of entity tags, or `*`, has this one; a weak tag counts only where the comparison is weak. */
export function matches(list: string, etag: string, weak: boolean): boolean {
  if (list.trim() === '*') return true
  return list.split(',').some((one) => {
    const tag = one.trim()
    return tag === etag || (weak && tag === `W/${etag}`)
  })
}
