import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'

/*
 * Stands in for Prometheus 3's OTLP receiver, which Debian's Prometheus does not have yet: it takes what functions push at
 * their end, and shows it to be scraped under the job and instance that it came with.
 */

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue: string }
}

interface Point {
  readonly attributes: readonly Attribute[]
  readonly asDouble?: number
  readonly startTimeUnixNano: string
  readonly timeUnixNano: string
}

export interface Distribution extends Point {
  readonly count: string
  readonly sum: number
  readonly explicitBounds: readonly number[]
  readonly bucketCounts: readonly string[]
  readonly exemplars: readonly object[]
}

export interface PushedMetric {
  readonly name: string
  readonly sum?: {
    readonly isMonotonic: boolean
    readonly aggregationTemporality: number
    readonly dataPoints: Point[]
  }
  readonly gauge?: { readonly dataPoints: Point[] }
  readonly histogram?: { readonly aggregationTemporality: number; readonly dataPoints: Distribution[] }
}

export interface Pushed {
  readonly resource: Readonly<Record<string, string>>
  readonly metrics: readonly PushedMetric[]
}

interface Body {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeMetrics: readonly { readonly metrics: readonly PushedMetric[] }[]
  }[]
}

const labelsOf = (attributes: readonly Attribute[]): Record<string, string> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]))

export class OtlpReceiver implements AsyncDisposable {
  readonly pushed: Pushed[] = []
  readonly #server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      response.setHeader('content-type', 'text/plain; version=0.0.4').end(this.#exposition())
      return
    }
    const { resourceMetrics }: Body = JSON.parse(await text(request))
    for (const { resource, scopeMetrics } of resourceMetrics) {
      const metrics = scopeMetrics.flatMap((scope) => scope.metrics)
      this.pushed.push({ resource: labelsOf(resource.attributes), metrics })
    }
    response.setHeader('content-type', 'application/json').end('{}')
  })

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    return `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  }

  #exposition(): string {
    const lines = new Map<string, number>()
    for (const { resource, metrics } of this.pushed) {
      const own = { job: resource['service.name'] ?? '', instance: resource['service.instance.id'] ?? '' }
      for (const { name, sum, gauge } of metrics)
        for (const { attributes, asDouble = 0 } of (sum ?? gauge)?.dataPoints ?? []) {
          const labels = Object.entries({ ...own, ...labelsOf(attributes) }).map(
            ([key, of]) => `${key}="${of}"`,
          )
          lines.set(`${name}{${labels.join(',')}}`, asDouble)
        }
    }
    return `${[...lines].map(([series, value]) => `${series} ${value}`).join('\n')}\n`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
