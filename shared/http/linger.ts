import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'

/** Longest that a client may go on sending what nobody wants, in milliseconds. */
const patience = 1000

/**
 * Answers a request that is not read to its end, and ends its connection: what was left unread would be taken for the
 * next request. But not before the client had time to look up from its sending: closed at once, the unread bytes would
 * reset the connection and take the answer along.
 */
export function answerUnread(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  content: string | Uint8Array | undefined,
): void {
  outgoing.writeHead(status, { ...headers, connection: 'close' })
  if (content === undefined) outgoing.flushHeaders()
  else outgoing.write(content)
  const end = (): void => {
    clearTimeout(late)
    outgoing.end()
  }
  const late = setTimeout(end, patience).unref()
  incoming.once('end', end).once('close', end).once('error', end).resume()
}
