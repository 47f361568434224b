import type { IncomingMessage } from 'node:http'

/**
 * What is wrong with a request's Host, in a sentence; HTTP/1.1 demands exactly one (RFC 9112, section 3.2). Node keeps the
 * first of several, and who is in front may have gone by another.
 */
export function hostProblem({ httpVersion, headers, rawHeaders }: IncomingMessage): string | undefined {
  if (headers.host === undefined) return httpVersion === '1.1' ? 'the header Host is missing' : undefined
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count > 1 ? 'the header Host is there more than once' : undefined
}
