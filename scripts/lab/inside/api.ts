/** An answer through the gateway; `json` where it has a body. */
export interface Answer {
  readonly status: number
  readonly json: unknown
}

/** What a client does through the gateway, with its key. */
export class Api {
  readonly #url: string
  readonly #key: string

  constructor(url: string, key: string) {
    this.#url = url
    this.#key = key
  }

  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
  ): Promise<Answer> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { 'x-api-key': this.#key, ...(body === undefined ? {} : headers) },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    })
    const text = await response.text()
    return { status: response.status, json: text === '' ? undefined : parsed(text) }
  }

  /** @throws Error unless it is answered with this status. */
  async must(
    status: number,
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<unknown> {
    const answer = await this.request(method, path, body, headers)
    if (answer.status === status) return answer.json
    throw new Error(`${method} ${path} was answered ${answer.status}: ${JSON.stringify(answer.json)}`)
  }
}

/** Not everything is JSON: the page of the API's description, and what an ingress says by itself. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
