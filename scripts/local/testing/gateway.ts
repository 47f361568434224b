import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect } from 'vitest'
import { Started, Tree } from './fixture.ts'

/** What a function of the fake set answers. */
export interface Echo {
  readonly name: string
  readonly pid: number
  /** Whether it was asked to end before it answered. */
  readonly stopping: boolean
  readonly url: string
  readonly body: string
  readonly headers: Record<string, string>
  readonly env: Record<string, string>
}

export const json = { 'content-type': 'application/json' }

/** A run of the fake set for all tests of a file; its functions are idle after a second and a half. */
export class Gateway {
  readonly tree = new Tree()
  readonly run = new Started(this.tree, { env: { IDLE_SECONDS: '1.5' } })

  get port(): number {
    return Number(new URL(this.run.url).port)
  }

  async echo(path: string, init?: RequestInit): Promise<Echo> {
    const response = await this.run.fetch(path, init)
    expect(response.status).toBe(200)
    return (await response.json()) as Echo
  }

  /** Sends bytes as they are and tells all that came back until the connection closed. */
  async raw(bytes: string, port = this.port): Promise<string> {
    const socket = connect(port, '127.0.0.1')
    let said = ''
    socket.setEncoding('latin1').on('data', (chunk) => {
      said += chunk
    })
    socket.on('error', () => {})
    socket.write(bytes)
    await once(socket, 'close')
    return said
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run[Symbol.asyncDispose]()
    this.tree[Symbol.dispose]()
  }
}

/** To be called once by a test file, above its tests. */
export function useGateway(): { readonly gateway: Gateway } {
  const holder: { made?: Gateway } = {}
  beforeAll(async () => {
    holder.made = new Gateway()
    await holder.made.run.ready()
  }, 60_000)
  afterAll(async () => {
    await holder.made?.[Symbol.asyncDispose]()
  }, 60_000)
  return {
    get gateway() {
      if (!holder.made) throw new Error('only within a test')
      return holder.made
    },
  }
}

/** Status and code of a problem, which has to be a whole one. */
export async function problemOf(response: Response): Promise<unknown> {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  const body = (await response.json()) as { code: string; status: number; trace_id: string }
  expect(body.status).toBe(response.status)
  expect(body.trace_id).toMatch(/^[\da-f]{32}$/)
  return [body.status, body.code]
}
