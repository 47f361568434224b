import { createServer } from 'node:http'

/*
 * Stands in for prometheus-nats-exporter, of which there is neither a Debian package nor a module that the Go proxy has:
 * what it makes of /jsz with -jsz=all, by the names and labels in its collector/jsz.go, as far as rules and dashboards
 * look at it.
 */

interface Consumer {
  readonly name: string
  readonly delivered: { readonly consumer_seq: number; readonly stream_seq: number }
  readonly ack_floor: { readonly consumer_seq: number; readonly stream_seq: number }
  readonly num_ack_pending: number
  readonly num_redelivered: number
  readonly num_waiting: number
  readonly num_pending: number
}

interface Stream {
  readonly name: string
  readonly state: { readonly messages: number; readonly bytes: number; readonly consumer_count: number }
  readonly consumer_detail?: readonly Consumer[]
}

interface Jsz {
  readonly messages: number
  readonly bytes: number
  readonly account_details?: readonly { readonly name: string; readonly stream_detail?: readonly Stream[] }[]
}

/** @param monitor `127.0.0.1:port` of NATS' monitoring */
export async function startNatsExporter(
  monitor: string,
): Promise<AsyncDisposable & { readonly address: string }> {
  const server = createServer(async (_, response) => {
    const answer = await fetch(`http://${monitor}/jsz?consumers=true&config=true`)
    const jsz: Jsz = JSON.parse(await answer.text())
    response.setHeader('content-type', 'text/plain; version=0.0.4').end(exposition(jsz))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return {
    address: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function exposition({ messages, bytes, account_details: accounts = [] }: Jsz): string {
  const server = { server_name: 'registrar', is_meta_leader: 'true' }
  const lines = [
    line('jetstream_server_total_messages', server, messages),
    line('jetstream_server_total_message_bytes', server, bytes),
  ]
  for (const { name: account, stream_detail: streams = [] } of accounts) {
    for (const { name, state, consumer_detail: consumers = [] } of streams) {
      const stream = { ...server, account, stream_name: name, is_stream_leader: 'true' }
      lines.push(
        line('jetstream_stream_total_messages', stream, state.messages),
        line('jetstream_stream_total_bytes', stream, state.bytes),
        line('jetstream_stream_consumer_count', stream, state.consumer_count),
      )
      for (const one of consumers) {
        const consumer = { ...stream, consumer_name: one.name, is_consumer_leader: 'true' }
        const of = (metric: string, value: number): string =>
          line(`jetstream_consumer_${metric}`, consumer, value)
        lines.push(
          of('num_pending', one.num_pending),
          of('num_ack_pending', one.num_ack_pending),
          of('num_redelivered', one.num_redelivered),
          of('num_waiting', one.num_waiting),
          of('delivered_consumer_seq', one.delivered.consumer_seq),
          of('delivered_stream_seq', one.delivered.stream_seq),
          of('ack_floor_consumer_seq', one.ack_floor.consumer_seq),
          of('ack_floor_stream_seq', one.ack_floor.stream_seq),
        )
      }
    }
  }
  return `${lines.join('\n')}\n`
}

function line(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const shown = Object.entries(labels).map(([key, of]) => `${key}="${of}"`)
  return `${name}{${shown.join(',')}} ${value}`
}
