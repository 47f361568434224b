import { connect } from 'node:net'
import type { Finding } from './judge.ts'
import type { Origin } from './render.ts'
import { readAnswers, Unparsable } from './responses.ts'

/** Longest that a server may wait for the rest of a request, in milliseconds. */
const longest = 75_000

/** Requests that never come whole, on connections that stay open: each must be given up by the other side. */
export async function stalls({ hostname, port, key }: Origin): Promise<Finding[]> {
  const head = [
    'POST /api/students HTTP/1.1',
    `Host: ${hostname}:${port}`,
    `x-api-key: ${key ?? ''}`,
    'Content-Type: application/json',
  ]
  const requests = {
    nothing: '',
    'half a line': 'GET /api/stu',
    'half a head': head.join('\r\n'),
    'no body': [...head, 'Content-Length: 20', '', ''].join('\r\n'),
    'half a body': [...head, 'Content-Length: 20', '', '{"name":'].join('\r\n'),
    'half a chunk': [...head, 'Transfer-Encoding: chunked', '', '9\r\n{"na'].join('\r\n'),
  }
  const findings = Object.entries(requests).map(async ([name, bytes]): Promise<Finding[]> => {
    const what = await givenUp(hostname, port, bytes)
    return what === undefined ? [] : [{ rule: `what stalls is given up (${name})`, what }]
  })
  return (await Promise.all(findings)).flat()
}

/** What is wrong with how it ended, if anything is. */
function givenUp(host: string, port: number, bytes: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port }, () => socket.write(bytes))
    let came: Buffer = Buffer.alloc(0)
    const timer = setTimeout(() => socket.destroy(new Error(`still open after ${longest} ms`)), longest)
    socket.on('data', (chunk: Buffer) => {
      came = Buffer.concat([came, chunk])
    })
    let failure: string | undefined
    socket.on('error', (error) => {
      failure = error.message
    })
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(failure ?? wrong(came))
    })
  })
}

function wrong(came: Buffer): string | undefined {
  try {
    const [answer] = readAnswers(came, ['POST'], true).answers
    return answer && ![400, 408].includes(answer.status) ? `answered with ${answer.status}` : undefined
  } catch (error) {
    if (error instanceof Unparsable) return error.message
    throw error
  }
}
