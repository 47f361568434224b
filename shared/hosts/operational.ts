import { expose } from '../exposition.ts'
import { type HttpRequest, type HttpResponse, header } from '../http/message.ts'
import { problem } from '../http/problem.ts'
import { metrics } from '../metrics.ts'
import { traceIdOf } from '../tracing.ts'

let draining = false
const listeners = new Set<() => void>()

/** From now on this instance is not ready: nobody should send it anything new. */
export function beginDraining(): void {
  draining = true
  for (const listener of listeners) listener()
}

export const isDraining = (): boolean => draining

/** Resolves when this instance begins to drain, or with the signal. */
export function untilDraining(signal: AbortSignal): Promise<void> {
  if (draining || signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      listeners.delete(done)
      resolve()
    }
    listeners.add(done)
    signal.addEventListener('abort', done, { once: true })
  })
}

type Asked = Pick<HttpRequest, 'method' | 'path' | 'headers'>

/** What every host serves beside its function, for probes and scrapers; a function's own paths wait for nothing. */
export function operational(request: Asked): Promise<HttpResponse> | HttpResponse | undefined {
  switch (request.path) {
    case '/metrics':
      return refused(request) ?? scraped(header(request, 'accept'))
    case '/_/health':
      return refused(request) ?? said(200, 'ok')
    case '/_/ready':
      return refused(request) ?? (draining ? said(503, 'draining') : said(200, 'ready'))
    default:
      return undefined
  }
}

/** What is there to be read alone answers so to other methods; nothing to GET and HEAD. */
export function onlyRead(method: string, traceId: () => string): HttpResponse | undefined {
  if (method === 'GET' || method === 'HEAD') return undefined
  const headers = { allow: 'GET, HEAD, OPTIONS' }
  if (method === 'OPTIONS') return { status: 204, headers }
  const detail = 'this path does not have this method'
  return problem('method_not_allowed', { detail, headers, traceId: traceId() })
}

const refused = (request: Asked): HttpResponse | undefined =>
  onlyRead(request.method, () => traceIdOf(header(request, 'traceparent')))

const said = (status: number, text: string): HttpResponse => ({
  status,
  headers: { 'content-type': 'text/plain' },
  body: `${text}\n`,
})

async function scraped(accept: string | undefined): Promise<HttpResponse> {
  const { contentType, text } = await expose(await (await metrics()).getMetricsAsJSON(), accept)
  return { status: 200, headers: { 'content-type': contentType, vary: 'accept' }, body: text }
}
