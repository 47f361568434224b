/**
 * Collects the ids asked for within one turn of the event loop into one load, each id once. Every caller gets what the
 * load came to, for all of its ids, or its failure.
 *
 * @param load is given the context of its first caller, with at most `most` ids.
 */
export function batching<C, R>(
  load: (ids: readonly string[], context: C) => Promise<R>,
  most: number,
): (id: string, context: C) => Promise<R> {
  let open: { readonly ids: Set<string>; readonly loaded: Promise<R> } | undefined

  function begin(context: C): NonNullable<typeof open> {
    const ids = new Set<string>()
    const loaded = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      if (open?.ids === ids) open = undefined
      return load([...ids], context)
    })
    return { ids, loaded }
  }

  return (id, context) => {
    open ??= begin(context)
    const { ids, loaded } = open
    ids.add(id)
    if (ids.size >= most) open = undefined
    return loaded
  }
}
