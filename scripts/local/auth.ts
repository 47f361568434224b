import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { takeMembers } from './body-key.ts'

const digest = (key: string): Buffer => createHash('sha256').update(key).digest()

/** Kong's key-auth: the key in a header, else in the JSON body under the same name, never in the query. */
export class KeyAuth {
  readonly names: readonly string[]
  readonly #expected: Buffer

  constructor(key: string, names: readonly string[]) {
    this.names = names.map((name) => name.toLowerCase())
    this.#expected = digest(key)
  }

  inQuery(query: string): boolean {
    return (
      query !== '' &&
      [...new URLSearchParams(`?${query}`).keys()].some((name) => this.names.includes(name.toLowerCase()))
    )
  }

  inHeader(headers: IncomingHttpHeaders): string | undefined {
    const value = this.names.map((name) => headers[name]).find((one) => one !== undefined)
    return Array.isArray(value) ? value[0] : value
  }

  /** Same time whatever the key: digests have one length. */
  accepts(key: string | undefined): boolean {
    return key !== undefined && timingSafeEqual(digest(key), this.#expected)
  }

  isJson(headers: IncomingHttpHeaders): boolean {
    const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
    return type === 'application/json' || type === 'application/merge-patch+json'
  }

  /**
   * What a JSON body presents, and the body without it: a function never sees the key, even when a header had it too. Nor
   * does it in a body that is no JSON object, which it would refuse, or not look at: there, something else stands for it.
   */
  fromBody(
    body: Buffer,
    { json, sent }: { readonly json: boolean; readonly sent: string | undefined },
  ): { key: string | undefined; body: Buffer } {
    const taken = json ? takeMembers(body, this.names) : undefined
    if (taken) return taken
    return { key: undefined, body: sent ? withoutText(body, sent) : body }
  }
}

function withoutText(body: Buffer, secret: string): Buffer {
  if (!body.includes(secret, 0, 'latin1')) return body
  return Buffer.from(body.toString('latin1').replaceAll(secret, '*'.repeat(secret.length)), 'latin1')
}
