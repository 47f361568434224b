import type { Outcome } from './connection.ts'
import { patience } from './connection.ts'
import type { Declared, Description, Operation } from './openapi.ts'
import type { Answer } from './responses.ts'
import { type Ask, owedTo, type Shot } from './shot.ts'

/** What is wrong with an answer; the same fault has the same name, whatever the request. */
export interface Finding {
  readonly rule: string
  readonly what: string
}

/** What only the inside of the system says. Within JSON a quotation mark has a backslash before it. */
const inside: readonly RegExp[] = [
  // Engines, drivers and frameworks.
  /postgres|redis|\bnats\b|jetstream|mongo|bson|valibot|undici|express/i,
  // What databases say, and what they are asked.
  /\bsql\b|constraint|(?:relation|column|table|function|type|encoding) \\?"|syntax error at|invalid input syntax/i,
  /invalid byte sequence|permission denied for|duplicate key|\bE11000\b/i,
  /\bselect\b.+\bfrom\b|\binsert into\b|\bdelete from\b|\bupdate\b.+\bset\b/i,
  // Errors of the runtime's and of the operating system's.
  /ERR_[A-Z]|\bECONN|\bE(?:PIPE|NOTFOUND|AI_AGAIN|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOENT|ACCES|MFILE)\b|getaddrinfo/i,
  /cannot (?:read|set) propert|is not (?:a function|a constructor|iterable|defined)\b|unexpected token/i,
  // Stacks and files.
  /node_modules|node:internal|\.[cm]?[jt]s:\d|^\s+at .+\(|\bstack\b|\/(?:work|home|root|tmp|usr|var|app)\//im,
  // Hosts and their ports.
  /localhost|\.svc\b|\.internal\b|\b(?:\d{1,3}\.){3}\d{1,3}\b|\b[a-z][\w-]*(?:\.[\w-]+)*:\d{2,5}\b/i,
]

/** What comes of a connection before anybody has understood a request. */
const ofTheWire: ReadonlySet<number> = new Set([400, 408, 413, 414, 417, 426, 431, 501, 505])

/** Of a request itself, not of what it finds. */
const refusals: ReadonlySet<number> = new Set([400, 401, 405, 413, 415, 422, 431])

/** Valid by itself, but its Idempotency-Key came with another body before. */
const isReuse = ({ status, body }: Answer): boolean =>
  status === 422 &&
  body.includes('"pointer":"","message":"is not the body that this Idempotency-Key was used with before"')

const problemType = 'application/problem+json'

export interface Judged {
  readonly direct: boolean
  readonly description: Description
  readonly shot: Shot
  readonly outcome: Outcome
}

/** Everything that is wrong with what came back for a shot. */
export function judge(judged: Judged): Finding[] {
  const { shot, outcome } = judged
  const { answers, closed, hung, broken } = outcome
  const findings: Finding[] = []
  const find = (rule: string, what: string): void => void findings.push({ rule, what })
  // Behind an answer that says that it is the last there may be none.
  const isLast = answers.at(-1)?.headers.get('connection') === 'close'
  const owed = isLast ? answers.length : owedTo(shot)
  if (broken !== undefined) find('the answer is HTTP', broken)
  if (hung && answers.length === 0) find('the connection does not hang', `no answer within ${patience} ms`)
  else if (hung && shot.ambiguous) find('the connection is closed', `still open after ${patience} ms`)
  else if (hung && (!shot.ends || answers.length < owed))
    find(
      'the connection does not hang',
      `${answers.length} of ${shot.asks.length} answers within ${patience} ms`,
    )
  if (closed && answers.length < owed && broken === undefined)
    find('there is an answer', `the connection was closed with ${answers.length} of ${owed} answers`)
  if (shot.ambiguous && answers.length > 0) {
    if (answers.length > 1) find('nothing is smuggled', `${answers.length} answers to one request`)
    if (answers[0]?.status !== 400) find('nothing is smuggled', `${answers[0]?.status} instead of 400`)
  }
  for (const [index, answer] of answers.entries()) {
    const ask = shot.asks[index]
    if (ask) findings.push(...judgeAnswer(judged, ask, answer))
    else find('the answer was asked for', `answer ${index + 1} to ${shot.asks.length} requests`)
  }
  return findings
}

function judgeAnswer({ description, shot, direct }: Judged, ask: Ask, answer: Answer): Finding[] {
  const findings: Finding[] = []
  const { status, headers, body } = answer
  const named = `${ask.method} ${ask.path ?? 'of no path'}: ${status}`
  const find = (rule: string, what: string): void => void findings.push({ rule: `${rule} (${named})`, what })
  if (status === 500 || status === 502) find('nothing fails', body.toString())
  const type = headers.get('content-type')
  const operation = operationOf(description, ask)
  const declared = operation?.responses.get(status)
  const fromWire = shot.family !== 'valid' && shot.family !== 'nearly' && ofTheWire.has(status)
  // A host without its gateway leaves to Node what never became a request.
  const bare = direct && fromWire && body.length === 0
  if (bare) return findings
  if (declared) {
    findings.push(
      ...matches(description, declared, answer, ask).map((what) => ({
        rule: `the answer is as declared (${named})`,
        what,
      })),
    )
  } else if (
    !permitted(description, ask, status) &&
    !fromWire &&
    !(shot.family === 'framing' && ask.path === undefined)
  ) {
    find('the status is declared', body.toString().slice(0, 300))
  }
  if (status >= 400 && ask.method !== 'HEAD') {
    if (type !== problemType) find('refusals are problems', String(type))
    else {
      const faults = problemFaults(description, answer)
      findings.push(...faults.map((what) => ({ rule: `refusals are problems (${named})`, what })))
    }
  }
  if (status === 405 && !headers.has('allow')) find('405 says what is allowed', 'no Allow')
  if (status === 401 && !headers.has('www-authenticate')) find('401 says how', 'no WWW-Authenticate')
  if (status === 503 && !headers.has('retry-after')) find('503 says when', 'no Retry-After')
  const leak = leaked(answer)
  if (leak) find('nothing leaks', leak)
  if (ask.worth === 'valid' && refusals.has(status) && !isReuse(answer))
    find('what is valid is taken', body.toString().slice(0, 500))
  if (ask.worth === 'invalid' && status < 400)
    find('what is invalid is refused', body.toString().slice(0, 500))
  return findings
}

function operationOf({ operations }: Description, { method, path }: Ask): Operation | undefined {
  const wanted = method === 'HEAD' ? 'GET' : method
  return operations.find((one) => one.path === path && one.method === wanted)
}

/** What openapi.json has no place for: paths and methods that there are not. */
function permitted(description: Description, ask: Ask, status: number): boolean {
  if (operationOf(description, ask)) return false
  if (status === 401 || status === 405 || (ask.method === 'OPTIONS' && status === 204)) return true
  return status === (description.operations.some((one) => one.path === ask.path) ? 413 : 404)
}

function matches(description: Description, { content }: Declared, answer: Answer, ask: Ask): string[] {
  const { headers, body } = answer
  const type = headers.get('content-type')
  if (content === undefined)
    return body.length > 0 || type !== undefined ? [`a body of ${type}, where none is declared`] : []
  const media = content[type ?? '']
  if (!media) return [`${type} instead of ${Object.keys(content).join(' or ')}`]
  if (ask.method === 'HEAD' || media.schema === undefined || !/json$/.test(type ?? '')) return []
  try {
    return description.violations(media.schema, JSON.parse(body.toString()))
  } catch {
    return [`no JSON: ${body.toString().slice(0, 100)}`]
  }
}

function problemFaults(description: Description, { status, body }: Answer): string[] {
  try {
    const problem: { status?: unknown } = JSON.parse(body.toString())
    const told = problem.status === status ? [] : [`its status is ${problem.status}`]
    return [...told, ...description.violations(description.problem, problem)]
  } catch {
    return [`no JSON: ${body.toString().slice(0, 100)}`]
  }
}

/** The first word of the inside that an answer says, where it does not only repeat what its client sent. */
function leaked({ status, headers, body }: Answer): string | undefined {
  const own = [...headers].filter(([name]) => name !== 'date').map(([name, value]) => `${name}: ${value}`)
  const text = status >= 400 ? ownWords(body.toString()) : ''
  for (const said of [...own, ...text.split('\n')])
    if (inside.some((words) => words.test(said))) return said.slice(0, 500)
  return undefined
}

/** A problem without its pointers, which repeat names of the request's. */
function ownWords(text: string): string {
  try {
    return JSON.stringify(
      JSON.parse(text, (name, value: unknown) => (name === 'pointer' ? undefined : value)),
    ).replaceAll('\\n', '\n')
  } catch {
    return text
  }
}
