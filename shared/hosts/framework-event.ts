import { Failure, toFailure } from '../errors.ts'
import { header } from '../http/message.ts'
import { problemOf } from '../http/problem.ts'
import { UndecodableMessage } from '../messages/undecodable-message.ts'
import { type Context, compose, type Middleware } from '../middleware/middleware.ts'
import { logging, tracing } from '../middleware/observe.ts'
import type { FunctionDeclaration, StreamTrigger } from '../spec/define-function.ts'
import { startTrace, untraced } from '../tracing.ts'
import { asDeadLetter, undecodable } from '../worker/as-dead-letter.ts'
import type { DeadLetters } from '../worker/dead-letters.ts'
import type { WorkerHandler } from '../worker/handler.ts'
import { type EventMessage, eventMessage } from './framework-cloud-event.ts'
import type { HttpApp } from './http-app.ts'

export interface EventAppOptions {
  /** `students/enrol` */
  readonly name: string
  readonly declaration: FunctionDeclaration<StreamTrigger>
  readonly handler: WorkerHandler
  readonly deadLetters: DeadLetters
}

/**
 * A stream function driven by CloudEvents over HTTP, as a Knative Eventing trigger sends them: 2xx settles an event, 5xx
 * asks for another delivery. How often and how long to try is the trigger's to say (`delivery` in its spec).
 */
export function eventApp({ name, declaration, handler, deadLetters }: EventAppOptions): HttpApp {
  const { subject, stream } = declaration.trigger

  const settling: Middleware<EventMessage, void> = (next) => async (message, context) => {
    try {
      await next(message, context)
    } catch (error) {
      if (!(error instanceof UndecodableMessage)) throw error
      const { id, payload } = message
      const { traceparent } = context.trace
      await asDeadLetter(context, undecodable(error), 'undecodable', () =>
        deadLetters.bury({ id, payload, stream, subject, reason: error.message, traceparent }),
      )
    }
  }

  const invoke = compose<EventMessage, void>([tracing(), logging(), settling], async ({ data }, context) => {
    context.fields['effect'] = await handler.handle(data(), { traceparent: context.trace.traceparent })
  })

  return async (request) => {
    let parent = header(request, 'traceparent')
    try {
      if (request.method === 'OPTIONS') return { status: 204, headers: { allow } }
      if (request.method !== 'POST') {
        throw new Failure('method_not_allowed', { detail: 'events are posted', headers: { allow } })
      }
      const message = await eventMessage(request)
      parent = message.traceparent ?? parent
      await invoke(message, contextOf(name, subject, parent))
      return { status: 204, headers: {} }
    } catch (error) {
      // An unknown error, or a burial that failed, asks for one more delivery: the message must not be lost.
      return problemOf(toFailure(error), startTrace('untraced', 'internal', parent).traceId)
    }
  }
}

const allow = 'POST, OPTIONS'

function contextOf(name: string, subject: string, parent: string | undefined): Context {
  return {
    function: name,
    trigger: 'stream',
    method: subject,
    parent,
    trace: untraced,
    outcome: 'ok',
    fields: {},
  }
}
