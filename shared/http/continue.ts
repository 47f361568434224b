import type { IncomingMessage, ServerResponse } from 'node:http'

/** Whether a client holds its body back until it is asked for it. */
export function waitsForContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion === '1.1' && /(?:^|\W)100-continue(?:$|\W)/i.test(headers.expect ?? '')
}

/**
 * Asks for the body where the client waits for that. Node would by itself, before anybody has looked at the head: a
 * client would then send what is refused already. A server that uses this listens to `checkContinue`.
 */
export function askForBody(incoming: IncomingMessage, outgoing: ServerResponse): void {
  if (waitsForContinue(incoming)) outgoing.writeContinue()
}
