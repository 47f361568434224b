import type { HttpResponse } from '../http/message.ts'
import { metrics } from '../metrics.ts'

let draining = false

/** From now on this instance is not ready: nobody should send it anything new. */
export function beginDraining(): void {
  draining = true
}

export const isDraining = (): boolean => draining

/** What every host serves beside its function, for probes and scrapers; a function's own paths wait for nothing. */
export function operational(path: string): Promise<HttpResponse> | HttpResponse | undefined {
  switch (path) {
    case '/metrics':
      return scraped()
    case '/_/health':
      return { status: 200, headers: { 'content-type': 'text/plain' }, body: 'ok\n' }
    case '/_/ready':
      return draining
        ? { status: 503, headers: { 'content-type': 'text/plain' }, body: 'draining\n' }
        : { status: 200, headers: { 'content-type': 'text/plain' }, body: 'ready\n' }
    default:
      return undefined
  }
}

async function scraped(): Promise<HttpResponse> {
  const registry = await metrics()
  return { status: 200, headers: { 'content-type': registry.contentType }, body: await registry.metrics() }
}
