/** A request as the functions see it: no framework's. Header names are lower case. */
export interface HttpRequest {
  readonly method: string
  /** The path as it was sent, still encoded, without the query. */
  readonly path: string
  /** The query as it was sent, without the `?`; empty when there is none. */
  readonly query: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** All values of a header, one for each time that it was sent: `headers` may have them joined. */
  readonly values: (name: string) => readonly string[]
  /** The whole body; throws `payload_too_large` beyond the limit, as soon as it is passed. */
  readonly body: () => Promise<Uint8Array>
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Record<string, string>
  /** Left out of an answer to HEAD by the hosts, which keep its length. */
  readonly body?: string | Uint8Array
}

/** Most bytes that a request's body may have. */
export const bodyLimit = 64 * 1024

/** A header's value; of one that was sent more than once, the first. */
export function header(request: Pick<HttpRequest, 'headers'>, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}
