/** An answer as it came over the wire. */
export interface Answer {
  readonly status: number
  /** Names in lower case; of one that came more than once, all values with a comma between them. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

/** Something that is no answer by RFC 9112. */
export class Unparsable extends Error {
  override readonly name = 'Unparsable'
}

/**
 * Reads answers from what has arrived; informational ones are skipped.
 *
 * @param methods of the requests, in their order: an answer to HEAD has no body
 * @param closed whether nothing more will come
 * @returns as many answers as are whole, and where the next one begins
 * @throws Unparsable
 */
export function readAnswers(
  bytes: Buffer,
  methods: readonly string[],
  closed: boolean,
): { answers: Answer[]; rest: number } {
  const answers: Answer[] = []
  let at = 0
  for (;;) {
    const end = bytes.indexOf('\r\n\r\n', at)
    if (end < 0) {
      if (closed && at < bytes.length) throw new Unparsable(`ends within a head: ${excerpt(bytes, at)}`)
      return { answers, rest: at }
    }
    const { status, headers } = readHead(bytes.subarray(at, end).toString('latin1'))
    const start = end + 4
    if (status >= 100 && status < 200) {
      at = start
      continue
    }
    const empty = methods[answers.length] === 'HEAD' || status === 204 || status === 304
    const read = empty ? { body: Buffer.alloc(0), next: start } : readBody(bytes, start, headers, closed)
    if (!read) {
      if (closed) throw new Unparsable(`ends within a body: ${excerpt(bytes, at)}`)
      return { answers, rest: at }
    }
    answers.push({ status, headers, body: read.body })
    at = read.next
    // One that nobody asked for is for the judge to see.
    if (at >= bytes.length || answers.length > methods.length) return { answers, rest: at }
  }
}

function readHead(head: string): Pick<Answer, 'status' | 'headers'> {
  const [line = '', ...lines] = head.split('\r\n')
  const status = /^HTTP\/1\.1 (\d{3}) [\x20-\x7e]*$/.exec(line)?.[1]
  if (status === undefined) throw new Unparsable(`not a status line: ${JSON.stringify(line.slice(0, 100))}`)
  const headers = new Map<string, string>()
  for (const one of lines) {
    const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(one) ?? []
    if (name === '') throw new Unparsable(`not a header: ${JSON.stringify(one.slice(0, 100))}`)
    const before = headers.get(name.toLowerCase())
    headers.set(name.toLowerCase(), before === undefined ? value : `${before}, ${value}`)
  }
  return { status: Number(status), headers }
}

function readBody(
  bytes: Buffer,
  start: number,
  headers: Answer['headers'],
  closed: boolean,
): { body: Buffer; next: number } | undefined {
  if (headers.get('transfer-encoding') === 'chunked') return readChunks(bytes, start)
  const length = headers.get('content-length')
  if (length === undefined) return closed ? { body: bytes.subarray(start), next: bytes.length } : undefined
  if (!/^\d+$/.test(length)) throw new Unparsable(`not a length: ${length}`)
  const next = start + Number(length)
  return next <= bytes.length ? { body: bytes.subarray(start, next), next } : undefined
}

function readChunks(bytes: Buffer, start: number): { body: Buffer; next: number } | undefined {
  const parts: Buffer[] = []
  for (let at = start; ; ) {
    const end = bytes.indexOf('\r\n', at)
    if (end < 0) return undefined
    const size = /^[\da-f]+$/i.exec(bytes.subarray(at, end).toString('latin1'))?.[0]
    if (size === undefined) throw new Unparsable(`not a chunk: ${excerpt(bytes, at)}`)
    const next = end + 2 + Number.parseInt(size, 16)
    if (next + 2 > bytes.length) return undefined
    parts.push(bytes.subarray(end + 2, next))
    at = next + 2
    if (next === end + 2) return { body: Buffer.concat(parts), next: at }
  }
}

const excerpt = (bytes: Buffer, at: number): string =>
  JSON.stringify(bytes.subarray(at, at + 100).toString('latin1'))
