import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, readAnswers, Unparsable } from './responses.ts'
import { owedTo, type Shot } from './shot.ts'

/** Longest that any answer, or the end of a connection, may take, in milliseconds: a hang, not slowness. */
export const patience = 20_000

/** What a connection came to. */
export interface Outcome {
  readonly answers: readonly Answer[]
  /** Whether the other side closed it. */
  readonly closed: boolean
  /** Neither answered nor closed in time. */
  readonly hung: boolean
  /** What came that is no answer. */
  readonly broken: string | undefined
  /** Whether there was no connection at all. */
  readonly refused: boolean
}

/** Sends what is well framed over one connection, again and again, and what is not over one of its own. */
export class Client implements Disposable {
  readonly #at: { readonly host: string; readonly port: number }
  #kept: Socket | undefined

  constructor(hostname: string, port: number) {
    this.#at = { host: hostname, port }
  }

  async fire(shot: Shot): Promise<Outcome> {
    if (shot.family === 'framing') {
      const socket = this.#open()
      try {
        return await exchange(socket, shot)
      } finally {
        socket.destroy()
      }
    }
    const kept = this.#kept
    const used = kept !== undefined && !kept.destroyed && kept.readable && kept.writable
    const socket = used ? kept : this.#open()
    const outcome = await exchange(socket, shot)
    const [answer] = outcome.answers
    const keeps =
      !outcome.closed &&
      !outcome.hung &&
      outcome.broken === undefined &&
      answer?.headers.get('connection') !== 'close'
    if (!keeps) socket.destroy()
    this.#kept = keeps ? socket : undefined
    // The other side may end a connection that nothing is asked on, at the very moment when something is.
    if (used && outcome.closed && !answer && outcome.broken === undefined) return this.fire(shot)
    return outcome
  }

  [Symbol.dispose](): void {
    this.#kept?.destroy()
  }

  #open(): Socket {
    const socket = connect({ ...this.#at, noDelay: true })
    // Whatever happens to one that nobody uses at the moment is seen when it is used.
    return socket.on('error', () => {})
  }
}

async function exchange(socket: Socket, shot: Shot): Promise<Outcome> {
  const { asks, ambiguous } = shot
  const owed = owedTo(shot)
  const methods = asks.map((one) => one.method)
  let bytes: Buffer = Buffer.alloc(0)
  let answers: readonly Answer[] = []
  let broken: string | undefined
  let closed = false
  let failure: Error | undefined
  const over = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<void>()
  if (owed === 0) answered.resolve()
  const look = (): void => {
    try {
      const read = readAnswers(bytes, methods, closed)
      answers = read.answers
      const all = answers.length >= asks.length && ambiguous !== true
      if (all && read.rest < bytes.length) broken = 'more came than was asked for'
      if (answers.length >= owed) answered.resolve()
      if (closed || all) over.resolve()
    } catch (error) {
      if (!(error instanceof Unparsable)) throw error
      // What a reset cut off is not what was sent.
      if (!failure) broken = error.message
      over.resolve()
    }
  }
  const heard = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
    look()
  }
  const ended = (): void => {
    closed = true
    look()
  }
  const failed = (error: Error): void => {
    failure = error
  }
  socket.on('data', heard).once('end', ended).once('close', ended).on('error', failed)
  const timer = setTimeout(over.resolve, patience)
  try {
    await Promise.all([send(socket, shot, Promise.race([answered.promise, over.promise])), over.promise])
    return {
      answers,
      closed,
      hung: !closed && (answers.length < asks.length || ambiguous === true) && broken === undefined,
      broken,
      refused: failure !== undefined && 'code' in failure && failure.code === 'ECONNREFUSED',
    }
  } finally {
    clearTimeout(timer)
    socket.off('data', heard).off('end', ended).off('close', ended).off('error', failed)
    if (closed) socket.destroy()
  }
}

async function send(socket: Socket, { pieces, pause, ends }: Shot, answered: Promise<void>): Promise<void> {
  for (const [index, piece] of pieces.entries()) {
    if (socket.destroyed || !socket.writable) return
    socket.write(Buffer.from(piece, 'latin1'))
    if (index < pieces.length - 1) await sleep(pause)
  }
  if (!ends) return
  // To many servers an end is a client that went away, which is owed nothing any more.
  await answered
  socket.end()
}
