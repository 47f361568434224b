import type { Readable } from 'node:stream'

export type Level = 'info' | 'warn' | 'error'

/** A reader that stopped reading must not make the runner grow: beyond this, lines are dropped. */
const mostWaiting = 8 * 1024 * 1024

/** All that the run says: steps and sentences for people, and one JSON line per event unless on a terminal. */
export class Output {
  readonly #stdout: NodeJS.WriteStream
  readonly #stderr: NodeJS.WriteStream
  readonly #pretty: boolean
  readonly #colours: boolean

  constructor(stdout = process.stdout, stderr = process.stderr, env: NodeJS.ProcessEnv = process.env) {
    this.#stdout = stdout
    this.#stderr = stderr
    this.#pretty = stdout.isTTY === true
    this.#colours = this.#pretty && !env['NO_COLOR']
    // Whoever read this may be gone.
    for (const stream of [stdout, stderr]) stream.on('error', () => {})
  }

  line(text: string): void {
    this.#write(this.#stdout, `${text}\n`)
  }

  warn(text: string): void {
    this.#write(this.#stderr, `${text}\n`)
  }

  /** Shows a step of the start, with its duration, when it is done. */
  async step<T>(name: string, work: () => Promise<T>, tell?: (result: T) => string): Promise<T> {
    const began = performance.now()
    const result = await work()
    const took = duration(performance.now() - began).padStart(8)
    const more = tell ? `  ${this.#paint(2, tell(result))}` : ''
    this.line(`${this.#paint(32, '✓')} ${name.padEnd(12)}${took}${more}`)
    return result
  }

  event(level: Level, event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    if (!this.#pretty) {
      this.line(JSON.stringify({ ts: new Date().toISOString(), level, event, ...fields }))
      return
    }
    const { function: name, ...rest } = fields
    const told = Object.entries(rest)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}=${value}`)
    this.line(`${this.#clock()} ${this.#level(level, '·')} ${[name ?? 'runner', event, ...told].join(' ')}`)
  }

  /** Passes a child's streams on, line by line, so that lines of several never mix. */
  follow(stdout: Readable | null, stderr: Readable | null): void {
    lines(stdout, (line) => this.line(this.#pretty ? this.#prettify(line) : line))
    lines(stderr, (line) => this.#write(this.#stderr, `${line}\n`))
  }

  /** Resolves when all was handed over, or after a moment when nobody reads. */
  async flush(): Promise<void> {
    const deadline = Date.now() + 500
    while (this.#stdout.writableLength + this.#stderr.writableLength > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  #write(stream: NodeJS.WriteStream, text: string): void {
    if (stream.writableLength < mostWaiting) stream.write(text)
  }

  #prettify(line: string): string {
    const entry = parse(line)
    if (!entry) return line
    const { ts, level, function: name, method, outcome, duration_ms: took, trace_id: trace, ...rest } = entry
    const at = typeof ts === 'string' ? ts.slice(11, 19) : ''
    const words = [name, method, outcome, typeof took === 'number' ? duration(took) : took].filter(
      (word) => word !== undefined,
    )
    const more = Object.entries(rest).map(
      ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    )
    const tail = this.#paint(2, [...more, ...(trace ? [`trace=${trace}`] : [])].join(' '))
    return `${this.#paint(2, at)} ${this.#level(level, '›')} ${words.join(' ')} ${tail}`
  }

  #clock(): string {
    return this.#paint(2, new Date().toISOString().slice(11, 19))
  }

  #level(level: unknown, sign: string): string {
    return this.#paint(level === 'error' ? 31 : level === 'warn' ? 33 : 36, sign)
  }

  #paint(code: number, text: string): string {
    return this.#colours && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text
  }
}

export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`
  return ms >= 10 ? `${ms.toFixed(0)} ms` : `${ms.toFixed(1)} ms`
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function lines(stream: Readable | null, take: (line: string) => void): void {
  if (!stream) return
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) take(part)
  })
  stream.on('end', () => {
    if (rest !== '') take(rest)
  })
  stream.on('error', () => {})
}
