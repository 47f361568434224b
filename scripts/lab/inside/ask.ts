import { randomBytes } from 'node:crypto'
import { request as send } from 'undici'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import { H2c } from '../../../shared/testing/h2c.ts'
import { objectAt } from '../../generate/knative/check/at.ts'
import { type WarmRequest, warmUp } from '../../images/warm-up.ts'
import { ingress } from './gateway.ts'
import type { Scene } from './scene.ts'

export interface Asked {
  readonly status: number
  /** The same from one time to the other; of an ingress or a gateway that answers by itself it is another. */
  readonly said: string
}

/**
 * Asks a function what its image was warmed up with: of an id that there is not, for the most part, which its database has to
 * be asked for. Through the gateway, but for lookups, which nobody but a function asks.
 */
export async function ask(
  { api }: Scene,
  { name: { slug }, declaration }: DiscoveredFunction,
  client = 0,
): Promise<Asked> {
  const [request] = warmUp(declaration).requests
  if (!request) throw new Error(`${slug} has nothing to be asked`)
  const { method, path, headers } = request
  const content = contentOf(request)
  if (declaration.trigger.kind === 'http') {
    const sent = method === 'POST' ? { ...headers, 'idempotency-key': `${once}-${client}` } : headers
    const { status, json } = await api.request(method, path, content?.toString(), sent)
    return {
      status,
      said: `${status} ${status < 400 ? '' : JSON.stringify(objectAt(json)['detail'])}`.trim(),
    }
  }
  // Connect, since the lab's ingress speaks no HTTP/2.
  const { statusCode, body } = await send(`${ingress}${path}`, {
    method: 'POST',
    headers: { ...headers, host: `${slug}.registrar.svc.cluster.local` },
    body: content ?? null,
  })
  await body.dump()
  return { status: statusCode, said: `${statusCode}` }
}

/** However often a client sends it, one thing is created: the stand-in for MongoDB is no place for thousands. */
const once = randomBytes(12).toString('hex')

/** As functions ask lookups: by gRPC, of the first revision, where the overlay sends them past the ingress. */
export async function askByGrpc({ name: { slug }, declaration }: DiscoveredFunction): Promise<Asked> {
  const request = warmUp(declaration).requests.find(({ http }) => http === 2)
  if (!request) throw new Error(`${slug} is no lookup`)
  await using lookup = new H2c(`http://${slug}-00001.registrar.svc.cluster.local:81`)
  const { status } = await lookup.call(
    request.path,
    contentOf(request)?.subarray(frameHead) ?? Buffer.alloc(0),
  )
  if (status !== '0') throw new Error(`gRPC status ${status}`)
  return { status: 200, said: 'grpc-status 0' }
}

const frameHead = 5

const contentOf = ({ body }: WarmRequest): Buffer | undefined =>
  body === undefined ? undefined : Buffer.from(body, 'base64')
