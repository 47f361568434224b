/** What is known to exist, so that requests can be about it: ids by their form, and pages that follow others. */
export class Pool {
  /** Paths of all that was made and not seen to be removed. */
  readonly made = new Set<string>()
  readonly #ids: string[] = []
  readonly #pages: string[] = []
  /** By path. */
  readonly #etags = new Map<string, string>()

  /** Keeps what an answer says was made, whatever it is an answer to. */
  keep(status: number, headers: ReadonlyMap<string, string>): void {
    const location = headers.get('location')
    if (status === 201 && location?.startsWith('/')) this.made.add(location)
  }

  /** Learns from an answer to what was well framed. */
  learn(method: string, target: string, status: number, headers: ReadonlyMap<string, string>): void {
    const location = headers.get('location')
    if (status === 201 && location?.startsWith('/'))
      keep(this.#ids, location.slice(location.lastIndexOf('/') + 1))
    const next = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1]
    if (next) keep(this.#pages, next)
    const etag = headers.get('etag')
    if (etag) this.#etags.set(location ?? target, etag)
    if (method !== 'DELETE' || status !== 204) return
    const id = target.slice(target.lastIndexOf('/') + 1).toLowerCase()
    this.made.delete(target.toLowerCase())
    this.#etags.delete(target.toLowerCase())
    const at = this.#ids.indexOf(id)
    if (at >= 0) this.#ids.splice(at, 1)
  }

  /** One of the ids of this form, if there is any. */
  id(pattern: string | undefined, which: number): string | undefined {
    if (pattern === undefined) return undefined
    const form = new RegExp(pattern)
    const some = this.#ids.filter((id) => form.test(id))
    return some[which % some.length]
  }

  /** The ETag that a path was last seen with. */
  etag(path: string): string | undefined {
    return this.#etags.get(path)
  }

  page(which: number): string | undefined {
    return this.#pages[which % this.#pages.length]
  }
}

/** The latest hundred. */
function keep(list: string[], one: string): void {
  list.push(one)
  if (list.length > 100) list.shift()
}
