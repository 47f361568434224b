import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReadRecord, Recorder, Seen, Service, WriteRecord } from '../history.ts'

/** Longest wait for an answer, in milliseconds: above every limit of the system's own. */
const patience = 40_000

export type Write = Pick<WriteRecord, 'kind' | 'service' | 'id' | 'name' | 'members' | 'key' | 'ifMatch'>

type Final = Pick<ReadRecord, 'final'>

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: { readonly data?: unknown }
}

/** Speaks HTTP with the gateway, and records what it asked and was told. */
export class Client {
  readonly #origin: string
  readonly #apiKey: string
  readonly #recorder: Recorder

  constructor(origin: string, apiKey: string, recorder: Recorder) {
    this.#origin = origin
    this.#apiKey = apiKey
    this.#recorder = recorder
  }

  async write(write: Write, body?: object): Promise<WriteRecord> {
    const { kind, service, id, key, ifMatch } = write
    const methods = { create: 'POST', replace: 'PUT', patch: 'PATCH', delete: 'DELETE' } as const
    const { trace, began, answer } = await this.#exchange(
      methods[kind],
      kind === 'create' ? service : `${service}/${id}`,
      {
        ...(kind === 'patch' ? { 'content-type': 'application/merge-patch+json' } : {}),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(ifMatch === undefined ? {} : { 'if-match': `"v${ifMatch}"` }),
      },
      body,
    )
    const status = answer?.status ?? 0
    const [seen] = seenIn(answer && [answer.body.data])
    const record: WriteRecord = {
      type: 'write',
      ...write,
      began,
      ended: this.#recorder.now(),
      status,
      trace,
      outcome:
        status >= 200 && status < 300
          ? 'acknowledged'
          : status >= 400 && status < 500
            ? 'refused'
            : 'indeterminate',
      ...(seen ? { seen } : {}),
    }
    this.#recorder.add(record)
    return record
  }

  /** Of a creation: repeated with its key, as a careful client does, until something definite is said. */
  async insist(write: Write, body: object): Promise<WriteRecord> {
    for (let tries = 1; ; tries++) {
      const record = await this.write(write, body)
      // With 409 another try of it is being served yet: names are never taken.
      if ((record.outcome !== 'indeterminate' && record.status !== 409) || tries === 8) return record
      await sleep(250 * tries)
    }
  }

  one(service: Service, id: string, more: Final = {}): Promise<ReadRecord> {
    return this.#read('one', service, `${service}/${id}`, id, more)
  }

  /** All of them, as long as they fit on the longest page. */
  list(service: Service, more: Final = {}): Promise<ReadRecord> {
    return this.#read('list', service, `${service}?limit=200`, undefined, more)
  }

  /** Those of a service that name another's id. */
  related(service: Service, id: string, more: Final = {}): Promise<ReadRecord> {
    const other = service === 'students' ? 'courses' : 'students'
    return this.#read('related', service, `${other}/${id}/${service}`, id, more)
  }

  /** How far both sides agree about one's links. */
  enrolments(service: Service, id: string, more: Final = {}): Promise<ReadRecord> {
    return this.#read('enrolments', service, `${service}/${id}/enrolments`, id, more)
  }

  async #read(
    kind: ReadRecord['kind'],
    service: Service,
    path: string,
    id?: string,
    more: Final = {},
  ): Promise<ReadRecord> {
    const { trace, began, answer } = await this.#exchange('GET', path, {})
    const data = answer?.status === 200 ? answer.body.data : undefined
    const cache = answer?.headers.get('cache-status')
    const record: ReadRecord = {
      type: 'read',
      kind,
      service,
      began,
      ended: this.#recorder.now(),
      status: answer?.status ?? 0,
      trace,
      seen: kind === 'enrolments' ? [] : seenIn(Array.isArray(data) ? data : [data]),
      ...(id === undefined ? {} : { id }),
      ...(kind === 'list' && answer?.status === 200 ? { complete: isLast(answer.body) } : {}),
      ...(kind === 'enrolments' && Array.isArray(data) ? { pending: data.filter(isPending).length } : {}),
      ...(cache ? { cache } : {}),
      ...more,
    }
    this.#recorder.add(record)
    return record
  }

  async #exchange(method: string, path: string, headers: Record<string, string>, body?: object) {
    const trace = randomBytes(16).toString('hex')
    const began = this.#recorder.now()
    const answer = await this.#ask(
      method,
      path,
      { traceparent: `00-${trace}-${trace.slice(16)}-01`, ...headers },
      body,
    )
    return { trace, began, answer }
  }

  /** Nothing when no whole answer came. */
  async #ask(
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: object,
  ): Promise<Answer | undefined> {
    try {
      const response = await fetch(`${this.#origin}/api/${path}`, {
        method,
        headers: {
          'x-api-key': this.#apiKey,
          ...(body ? { 'content-type': 'application/json' } : {}),
          ...headers,
        },
        signal: AbortSignal.timeout(patience),
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: parsed(text) }
    } catch {
      return undefined
    }
  }
}

/** What is no JSON has no content, but was an answer: for the judge to see. */
function parsed(text: string): Answer['body'] {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? body : {}
  } catch {
    return {}
  }
}

const isLast = (body: object): boolean => !('next_cursor' in body) || body.next_cursor === null

const isPending = ({ state }: { readonly state?: string }): boolean => state === 'pending'

interface View {
  readonly id: string
  readonly version: number
  readonly name: string
  readonly course_ids?: readonly string[]
  readonly student_ids?: readonly string[]
}

function seenIn(data: readonly unknown[] | undefined): Seen[] {
  return (data ?? []).filter(isView).map(({ id, version, name, course_ids, student_ids }) => ({
    id,
    version,
    name,
    members: course_ids ?? student_ids ?? [],
  }))
}

function isView(value: unknown): value is View {
  return typeof value === 'object' && value !== null && 'id' in value && 'version' in value && 'name' in value
}
