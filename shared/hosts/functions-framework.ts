import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cloudEvent, http } from '@google-cloud/functions-framework'
import { ConfigurationError } from '../config.ts'
import { causes, Failure } from '../errors.ts'
import { header } from '../http/message.ts'
import { problemOf } from '../http/problem.ts'
import { flushLog, log } from '../log.ts'
import { type DiscoveredFunction, discoverFunctions } from '../spec/discover.ts'
import { functionName } from '../spec/names.ts'
import { startTrace } from '../tracing.ts'
import { deadLettersOf } from '../wiring/backing.ts'
import type { Environment } from '../wiring/environment.ts'
import type { WorkerHandler } from '../worker/handler.ts'
import { eventApp } from './framework-event.ts'
import { exchangeOf, keepFromFramework, servedBy, unanswered } from './framework-exchange.ts'
import { FrameworkFunction } from './framework-function.ts'
import { drain } from './host.ts'
import { type HttpAssembly, wiredApp } from './http.ts'
import type { HttpApp } from './http-app.ts'
import { assemble } from './main.ts'
import { answerNodeHttp, send, serveNodeHttp } from './node-http.ts'
import { beginDraining } from './operational.ts'
import type { WorkerAssembly } from './worker.ts'

/*
 * The functions for @google-cloud/functions-framework, each under its slug:
 *
 *   functions-framework --source=shared/hosts/functions-framework.ts --target=students-get
 *
 * Importing this file registers all of them; each is assembled when it is first invoked.
 */

/** Registers an HTTP function, or a stream function as one that CloudEvents drive; nothing where it is neither. */
export function registerFunction(
  { name, declaration }: Pick<DiscoveredFunction, 'name' | 'declaration'>,
  environment?: Environment,
): FrameworkFunction<HttpApp> | undefined {
  const options = { name: name.full, load: () => assemble(name.full), environment }
  const { kind } = declaration.trigger
  if (kind === 'http') {
    const made = new FrameworkFunction<HttpApp>({
      ...options,
      make: (assembly, wired) => wiredApp(assembly as HttpAssembly, wired),
    })
    http(name.slug, async (request) => {
      const { request: incoming, response } = exchangeOf(request.headers['ce-id'])
      leaveDomain()
      await serveNodeHttp(invoking(made), incoming, response)
    })
    return made
  }
  if (kind !== 'stream') return undefined
  const made = new FrameworkFunction<HttpApp>({
    ...options,
    make: async (assembly, { handlers }, environment) =>
      eventApp({
        name: name.full,
        declaration: (assembly as WorkerAssembly).declaration,
        // handler.ts of a stream function, as its declaration says.
        handler: handlers as WorkerHandler,
        deadLetters: await deadLettersOf(environment, functionName(name.full).slug),
      }),
  })
  cloudEvent(name.slug, async ({ id }: { readonly id: string }) => {
    const { request, response } = exchangeOf(id)
    leaveDomain()
    const { status, headers, body } = await answerNodeHttp(invoking(made), request, response)
    response.statusCode = status
    for (const [key, value] of Object.entries(headers)) response.setHeader(key, value)
    // The framework sends what it is given, bytes without a second look, and 204 where that is nothing.
    return typeof body === 'string' ? Buffer.from(body) : body
  })
  return made
}

/** The function, or the answer while it cannot be made: what is wrong is in the log. */
function invoking(made: FrameworkFunction<HttpApp>): HttpApp {
  return async (request) => {
    let app: HttpApp
    try {
      app = await made.ready()
    } catch (cause) {
      const { traceId } = startTrace('unassembled', 'internal', header(request, 'traceparent'))
      log('error', {
        message: 'the function could not be assembled',
        trace_id: traceId,
        error: causes(cause),
      })
      return problemOf(new Failure('internal', { cause }), traceId)
    }
    return app(request)
  }
}

/**
 * The framework invokes within a domain, which would take the errors of every socket that is opened here for those of
 * the first request, and answer with their text.
 */
function leaveDomain(): void {
  const { domain } = process as { domain?: { exit(): void } }
  domain?.exit()
}

/** What the framework's CLI leaves to us, or would do in its own words. */
function runUnderCli(made: FrameworkFunction<HttpApp>): void {
  // Drivers connect while the server begins to listen.
  made.ready().catch((error: unknown) => {
    if (!(error instanceof ConfigurationError)) return
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  })
  const answerAll = (failure: Failure): void => {
    for (const { request, response } of unanswered()) {
      send(request, response, problemOf(failure, startTrace('stopped', 'internal', undefined).traceId))
    }
  }
  const crash = (error: unknown): void => {
    log('error', { message: 'crashed', error: causes(error) })
    answerAll(new Failure('internal', { cause: error }))
  }
  // These run before the framework's own listeners, which answer the latest request with the error's text, and exit.
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  stopInOrder(made)
  process.on('exit', flushLog)
}

/**
 * At a signal the framework answers the latest request with a 500 and exits, while others are under way. Its listeners,
 * which it adds when it listens, are taken off, and what is under way is finished as on the native host.
 */
function stopInOrder(made: FrameworkFunction<HttpApp>): void {
  const signals: ReadonlySet<unknown> = new Set(['SIGTERM', 'SIGINT'])
  let asked = false
  const stop = async (): Promise<void> => {
    if (asked) return
    asked = true
    beginDraining()
    const server = servedBy()
    if (server) await drain({ server })
    await made[Symbol.asyncDispose]()
  }
  const leave = (): void => {
    stop()
      .catch((error: unknown) => log('error', { message: 'the stop was not clean', error: causes(error) }))
      .finally(() => process.exit(0))
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, leave)
  process.on('newListener', (event: unknown, listener: () => void) => {
    if (signals.has(event) && listener !== leave)
      process.nextTick(() => process.off(event as NodeJS.Signals, listener))
  })
}

keepFromFramework()
const { target } = parseArgs({ options: { target: { type: 'string' } }, strict: false }).values
for (const found of await discoverFunctions(join(import.meta.dirname, '../..'))) {
  const made = registerFunction(found)
  if (made && found.name.slug === target) runUnderCli(made)
}
