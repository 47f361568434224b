import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished, vi } from 'vitest'
import { unavailable } from '../errors.ts'
import { flushLog } from '../log.ts'
import { UndecodableMessage } from '../messages/undecodable-message.ts'
import { metrics } from '../metrics.ts'
import type { Delivery } from '../worker/inbox.ts'
import { work } from './worker.ts'

const delivery = (): Delivery => ({
  sequence: 1,
  payload: new Uint8Array(),
  subject: 'some.subject',
  traceparent: undefined,
  deliveries: 1,
  working() {},
  acknowledge: async () => {},
  retry: async () => {},
  bury: async () => {},
})

it.each([1, 3])('keeps to a concurrency of %i, whatever its consumer gives', async (concurrency) => {
  const stop = new AbortController()
  let [underWay, most, handled] = [0, 0, 0]
  const inbox = {
    async *messages(): AsyncIterable<Delivery> {
      for (let i = 0; i < 12; i++) yield delivery()
      stop.abort()
    },
  }
  const handler = {
    ready: async () => {},
    async handle() {
      most = Math.max(most, ++underWay)
      await sleep(5)
      underWay--
      handled++
      return 'done'
    },
  }
  await work('some/worker', inbox, handler, concurrency, stop.signal)
  expect([most, handled]).toEqual([concurrency, 12])
})

it('what could not be buried is given back, said to be our failure with its cause, and no dead letter yet', async () => {
  flushLog()
  const said: string[] = []
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0)
  onTestFinished(() => stdout.mockRestore())
  const stop = new AbortController()
  const delays: number[] = []
  const inbox = {
    async *messages(): AsyncIterable<Delivery> {
      const bury = () => Promise.reject(new Error('the dead letters are full'))
      yield { ...delivery(), bury, retry: async (delay) => void delays.push(delay) }
      stop.abort()
    },
  }
  const handle = async (): Promise<string> => {
    throw new UndecodableMessage('LinkChanged', ['nobody can read it'])
  }
  await work('some/worker', inbox, { ready: async () => {}, handle }, 1, stop.signal)
  flushLog()
  expect(delays).toEqual([1000])
  const lines = said.join('').split('\n').filter(Boolean)
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    {
      level: 'error',
      outcome: 'unavailable',
      error: ['Failure: the dead letter stream is not available', 'Error: the dead letters are full'],
    },
  ])
  expect(await (await metrics()).getSingleMetricAsString('registrar_dead_letters_total')).not.toContain(
    'some/worker',
  )
})

it('says at the level of an error what it buries and why, and keeps it under the trace of that line', async () => {
  flushLog()
  const said: string[] = []
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0)
  onTestFinished(() => stdout.mockRestore())
  const stop = new AbortController()
  const buried: string[][] = []
  const inbox = {
    async *messages(): AsyncIterable<Delivery> {
      yield { ...delivery(), bury: async (...letter) => void buried.push(letter) }
      stop.abort()
    },
  }
  const handle = async (): Promise<string> => {
    throw new UndecodableMessage('LinkChanged', ['nobody can read it'])
  }
  await work('some/worker', inbox, { ready: async () => {}, handle }, 1, stop.signal)
  flushLog()
  const line: unknown = JSON.parse(said.join('').trim())
  expect(line).toMatchObject({ level: 'error', outcome: 'dead_letter', trace_id: expect.any(String) })
  expect(line).toMatchObject({
    error: expect.arrayContaining(['UndecodableMessage: not a valid LinkChanged: nobody can read it']),
  })
  expect(buried).toEqual([
    ['not a valid LinkChanged: nobody can read it', expect.stringContaining(String(Object(line).trace_id))],
  ])
})

/** What a worker does with one message, as its consumer sees it; the handler does what it can at its second try. */
async function seen(
  deliveries: number,
  handle: () => Promise<string>,
  stopAfter?: number,
): Promise<string[]> {
  const events: string[] = []
  const stop = new AbortController()
  const inbox = {
    async *messages(): AsyncIterable<Delivery> {
      if (events.length > 0) return await sleep(50)
      const note = (event: string) => async () => void events.push(event)
      events.push('delivered')
      yield {
        ...delivery(),
        deliveries,
        acknowledge: note('done'),
        retry: note('given back'),
        bury: note('buried'),
      }
      if (stopAfter !== undefined) setTimeout(() => stop.abort(), stopAfter)
    },
  }
  const worked = work('some/worker', inbox, { ready: async () => {}, handle }, 1, stop.signal)
  await expect.poll(() => events.length).toBe(2)
  stop.abort()
  await worked
  return events
}

const twice = () => {
  let tries = 0
  return async (): Promise<string> => {
    if (++tries === 1) throw unavailable('the cache', new Error('it is away'))
    return 'done'
  }
}

it('what cannot be done for now is given back at first, and then held and tried again', async () => {
  expect(await seen(5, twice())).toEqual(['delivered', 'given back'])
  expect(await seen(6, twice())).toEqual(['delivered', 'done'])
})

it('what is held is given back at a stop, and buried for an error that nobody foresaw', async () => {
  const never = async (): Promise<string> => {
    throw unavailable('the cache', new Error('it is away'))
  }
  expect(await seen(6, never, 100)).toEqual(['delivered', 'given back'])
  const wrong = async (): Promise<string> => {
    throw new Error('nobody foresaw it')
  }
  expect(await seen(7, wrong)).toEqual(['delivered', 'given back'])
  expect(await seen(8, wrong)).toEqual(['delivered', 'buried'])
})

interface Message {
  readonly kills: boolean
  deliveries: number
  done: boolean
  /** It is with nobody, and comes again at this time. */
  due: number
}

/** As a consumer's. */
const [mostDeliveries, ackWait] = [20, 4000]

/**
 * What happens to the messages of one consumer, JetStream's part: what is not acknowledged is delivered in the order of
 * the stream to one worker after another, and each time it counts. In each of the first lives a killer comes, with 62
 * others.
 */
async function liveWith(killers: number): Promise<readonly Message[]> {
  const messages: Message[] = []
  const open = () => messages.filter(({ done, deliveries }) => !done && deliveries < mostDeliveries)
  for (let life = 0; life < killers || open().length > 0; life++) {
    if (life < killers)
      for (let n = 0; n < 63; n++) messages.push({ kills: n === 0, deliveries: 0, done: false, due: 0 })
    const died = new AbortController()
    const ended = (): boolean => died.signal.aborted || open().length === 0
    const inbox = {
      async *messages(): AsyncIterable<Delivery> {
        while (!ended()) {
          for (const message of open().filter(({ due }) => due <= Date.now())) {
            message.due = Number.POSITIVE_INFINITY
            message.deliveries++
            yield {
              ...delivery(),
              sequence: messages.indexOf(message),
              payload: Uint8Array.of(message.kills ? 1 : 0),
              deliveries: message.deliveries,
              acknowledge: async () => {
                message.done ||= !died.signal.aborted
              },
              retry: async (delay) => {
                if (!died.signal.aborted) message.due = Date.now() + delay
              },
            }
          }
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
      },
    }
    const handler = {
      ready: async () => {},
      async handle([kills]: Uint8Array) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        if (kills === 0) return 'done'
        died.abort()
        return new Promise<never>(() => {})
      },
    }
    void work('some/worker', inbox, handler, 1000, new AbortController().signal)
    while (!ended()) await vi.advanceTimersByTimeAsync(10)
    for (const message of open())
      if (message.due === Number.POSITIVE_INFINITY) message.due = Date.now() + ackWait
  }
  return messages
}

it.each([1, 3])(
  'what is delivered with %i messages that kill their worker is handled all the same',
  async (killers) => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const messages = await liveWith(killers)
    expect(messages.filter(({ kills, done }) => kills && done)).toEqual([])
    const harmless = messages.filter(({ kills }) => !kills)
    expect(harmless.filter(({ done }) => !done)).toEqual([])
    // Twenty would have led them to the dead letters.
    const deliveries = harmless.map(({ deliveries: count }) => count)
    expect(Math.max(...deliveries)).toBeLessThan(12)
  },
)
