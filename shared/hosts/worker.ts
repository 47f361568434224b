import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { causes, type Failure, toFailure, unavailable } from '../errors.ts'
import { type HttpRequest, type HttpResponse, header } from '../http/message.ts'
import { problem } from '../http/problem.ts'
import { log } from '../log.ts'
import { UndecodableMessage } from '../messages/undecodable-message.ts'
import { observeOutboxAge } from '../metrics.ts'
import { type Context, compose, type Middleware } from '../middleware/middleware.ts'
import { logging, tracing } from '../middleware/observe.ts'
import type { FunctionDeclaration, StreamTrigger } from '../spec/define-function.ts'
import { functionName } from '../spec/names.ts'
import { traceIdOf, untraced } from '../tracing.ts'
import { inboxOf } from '../wiring/backing.ts'
import type { Wires } from '../wiring/environment.ts'
import { asDeadLetter, undecodable } from '../worker/as-dead-letter.ts'
import type { WorkerHandler } from '../worker/handler.ts'
import { Holding } from '../worker/holding.ts'
import type { Delivery, Inbox } from '../worker/inbox.ts'
import { Isolation } from '../worker/isolation.ts'
import { inProgress } from '../worker/progress.ts'
import { Suspicion } from '../worker/suspicion.ts'
import { type Assembly, hostProcess } from './host.ts'
import { neutralRequest, send } from './node-http.ts'
import { operational } from './operational.ts'

export interface WorkerAssembly extends Assembly {
  readonly declaration: FunctionDeclaration<StreamTrigger>
}

/** Unknown errors are tried this often before the message is buried. */
const mostTries = 8
const sweepEvery = 5000

/** Pulls a stream's messages and settles each once; scaled by the lag of its consumer. */
export function serveWorker(assembly: WorkerAssembly): Promise<void> {
  const { name, declaration } = assembly
  // Beside what its handler needs, and in one go with it: what is wrong with either ends the process before it is ready.
  const wires: Wires = {
    ...assembly.wires,
    inbox: (environment) => inboxOf(environment, declaration.trigger.stream, functionName(name).slug),
    concurrency: async ({ config }) => config.maxAckPending(),
  }
  return hostProcess({ ...assembly, wires }, (wired) => {
    const stopping = new AbortController()
    const working = wired.then(({ handlers, dependencies }) => {
      // handler.ts of a stream function, as its declaration says.
      const handler = handlers as WorkerHandler
      const { inbox, concurrency } = dependencies as { inbox: Inbox; concurrency: number }
      return Promise.all([
        work(name, inbox, handler, concurrency, stopping.signal),
        sweeping(name, handler, stopping.signal),
      ])
    })
    // What was wrong with the wiring is told by the host; a worker that can no longer work ends.
    working.catch((error: unknown) =>
      wired.then(
        () => Promise.reject(error),
        () => {},
      ),
    )
    return {
      server: probes(),
      stop: async () => {
        stopping.abort()
        await working
      },
    }
  })
}

function probes() {
  return createServer(async (incoming, outgoing) => {
    const request = neutralRequest(incoming, outgoing)
    send(incoming, outgoing, (await operational(request)) ?? nothingAt(request))
  })
}

function nothingAt(request: HttpRequest): HttpResponse {
  const traceId = traceIdOf(header(request, 'traceparent'))
  return problem('not_found', { detail: 'there is nothing at this path', traceId })
}

interface Attempt {
  readonly outcome: Context['outcome']
  readonly next: 'settled' | 'later'
}

/** Pulls while the handler can serve, and pauses while it cannot, so that deliveries are not used up. */
export async function work(
  name: string,
  inbox: Inbox,
  handler: WorkerHandler,
  concurrency: number,
  signal: AbortSignal,
): Promise<void> {
  const invoke = compose<Delivery, void>([tracing(), logging(), settling], async (delivery, context) => {
    context.fields['effect'] = await handler.handle(delivery.payload, {
      traceparent: context.trace.traceparent,
    })
  })
  const suspicion = new Suspicion()
  const isolation = new Isolation()
  const holding = new Holding(signal)
  const attempt = async (delivery: Delivery, verdict: 'innocent' | 'alone'): Promise<Attempt> => {
    const context = contextOf(name, delivery)
    let next: Attempt['next'] = 'settled'
    const retry = async (delay: number): Promise<void> => {
      if (context.outcome !== 'unavailable' || !holding.keeps(delivery)) return delivery.retry(delay)
      next = 'later'
    }
    const invoked = (): Promise<void> => invoke({ ...delivery, retry }, context)
    const run =
      verdict === 'alone' ? isolation.alone(delivery.deliveries, invoked) : isolation.together(invoked)
    // What could not be settled comes again; the log has its line from the middleware.
    await run.catch(() => {})
    if (context.outcome !== 'ok' && context.outcome !== 'dead_letter') suspicion.acquit(delivery)
    return { outcome: context.outcome, next }
  }
  while (!signal.aborted) {
    await untilReady(handler, signal)
    const pause = new AbortController()
    const pulling = AbortSignal.any([signal, pause.signal])
    const underWay = new Set<Promise<void>>()
    for await (const delivery of inbox.messages(concurrency, pulling)) {
      // Where messages come one by one, a death counts for nobody else.
      const verdict = concurrency === 1 ? 'innocent' : suspicion.of(delivery)
      if (typeof verdict === 'object') {
        void delivery.retry(verdict.pause).catch(() => {})
        continue
      }
      const tried = inProgress(delivery, async () => {
        const { outcome, next } = await attempt(delivery, verdict)
        if (outcome === 'unavailable') pause.abort()
        if (next === 'later') holding.keep(delivery, async () => (await attempt(delivery, 'innocent')).next)
      }).then(() => void underWay.delete(tried))
      underWay.add(tried)
      // The consumer should give no more; whatever it gives, this many are under way.
      if (underWay.size >= concurrency) await Promise.race(underWay)
    }
    await Promise.all(underWay)
  }
  await holding.empty()
}

async function untilReady(handler: WorkerHandler, signal: AbortSignal): Promise<void> {
  for (let wait = 200; !signal.aborted; wait = Math.min(wait * 2, 5000)) {
    try {
      await handler.ready()
      return
    } catch (error) {
      log('warn', { message: 'not pulling: what the worker needs is not available', error: causes(error) })
    }
    await sleep(wait, undefined, { signal }).catch(() => {})
  }
}

/** The one place where failures become ack, retry or burial; each message is settled once. */
const settling: Middleware<Delivery, void> = (next) => async (delivery, context) => {
  try {
    await next(delivery, context)
  } catch (error) {
    return await refuse(error, delivery, context)
  }
  try {
    await delivery.acknowledge()
  } catch (cause) {
    // It only brings the message again, and its effect is idempotent.
    throw unavailable('the stream', cause)
  }
}

async function refuse(error: unknown, delivery: Delivery, context: Context): Promise<void> {
  let failure = toFailure(error)
  const hopeless = whyHopeless(error, failure, delivery)
  if (hopeless) {
    try {
      const bury = (): Promise<void> => delivery.bury(hopeless.reason, context.trace.traceparent)
      return await asDeadLetter(context, hopeless.failure, hopeless.kind, bury)
    } catch (kept) {
      failure = toFailure(kept)
    }
  }
  context.failure = failure
  if (failure.code === 'unavailable' || failure.code === 'deadline_exceeded') {
    context.outcome = 'unavailable'
    return delivery.retry(Math.min(1000 * 2 ** (delivery.deliveries - 1), 30_000))
  }
  context.outcome = failure.code
  return delivery.retry(Math.min(100 * 2 ** (delivery.deliveries - 1), 5000))
}

interface Hopeless {
  readonly kind: string
  readonly reason: string
  readonly failure: Failure
}

/** Why no further delivery can help, if that is so. */
function whyHopeless(error: unknown, failure: Failure, { deliveries }: Delivery): Hopeless | undefined {
  if (error instanceof UndecodableMessage) {
    return { kind: 'undecodable', reason: error.message, failure: undecodable(error) }
  }
  if (failure.code === 'unavailable' || failure.code === 'deadline_exceeded' || deliveries < mostTries) {
    return undefined
  }
  return { kind: failure.code, reason: `${mostTries} tries failed: ${failure.code}`, failure }
}

function contextOf(name: string, { subject, traceparent, deliveries }: Delivery): Context {
  return {
    function: name,
    trigger: 'stream',
    method: subject,
    parent: traceparent,
    trace: untraced,
    outcome: 'ok',
    fields: deliveries > 1 ? { deliveries } : {},
  }
}

/** Relays what is left in the outbox, now and then, as long as the worker runs. */
export async function sweeping(name: string, { sweep }: WorkerHandler, signal: AbortSignal): Promise<void> {
  while (sweep && !signal.aborted) {
    try {
      observeOutboxAge(name, await sweep())
    } catch (error) {
      log('warn', { message: 'the outbox could not be swept', error: causes(error) })
    }
    await sleep(sweepEvery, undefined, { signal }).catch(() => {})
  }
}
