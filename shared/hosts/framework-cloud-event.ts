import { createHash } from 'node:crypto'
import { Failure } from '../errors.ts'
import { parseJson } from '../http/json.ts'
import { type HttpRequest, header } from '../http/message.ts'
import { isObject } from '../http/validate.ts'
import { UndecodableMessage } from '../messages/undecodable-message.ts'

/** What a CloudEvent brings. */
export interface EventMessage {
  /** Source and id: no two events have both the same. */
  readonly id: string
  /** As it came, for the dead letter. */
  readonly payload: Uint8Array
  /** From the distributed tracing extension. */
  readonly traceparent: string | undefined
  /** The message itself. @throws UndecodableMessage where the event does not carry bytes. */
  readonly data: () => Uint8Array
}

/**
 * The event of a request (HTTP protocol binding, 1.0): in binary mode the body is the data whatever its type says, for
 * sources name types that they did not look at; in structured mode the data is `data_base64`.
 * @throws Failure `malformed` for what is no CloudEvent, `unsupported_media_type` for a batch.
 */
export async function eventMessage(request: HttpRequest): Promise<EventMessage> {
  const type = (header(request, 'content-type') ?? '').toLowerCase()
  if (type.startsWith('application/cloudevents-batch')) {
    throw new Failure('unsupported_media_type', { detail: 'events are taken one by one' })
  }
  if (type.startsWith('application/cloudevents')) return structured(await request.body())
  const [id, source] = ['ce-id', 'ce-source'].map((name) => header(request, name))
  if (!id || !source || !header(request, 'ce-type') || !header(request, 'ce-specversion')) {
    throw new Failure('malformed', { detail: 'this is not a CloudEvent' })
  }
  const payload = await request.body()
  return {
    id: `${source} ${id}`,
    payload,
    traceparent: header(request, 'ce-traceparent'),
    data: () => payload,
  }
}

function structured(payload: Uint8Array): EventMessage {
  const event = parsed(payload)
  const { id, source, traceparent, data_base64: base64 } = event ?? {}
  const named = typeof id === 'string' && typeof source === 'string'
  return {
    // What has no id of its own is known by its bytes.
    id: named ? `${source} ${id}` : createHash('sha256').update(payload).digest('hex'),
    payload,
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    data: () => {
      if (!event) throw new UndecodableMessage('CloudEvent', ['its JSON is broken, or no object'])
      if (typeof base64 !== 'string') throw new UndecodableMessage('CloudEvent', ['data_base64 is missing'])
      return Buffer.from(base64, 'base64')
    },
  }
}

function parsed(payload: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const event: unknown = parseJson(payload)
    return isObject(event) ? event : undefined
  } catch {
    return undefined
  }
}
