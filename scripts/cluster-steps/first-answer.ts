import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import { CommandFailed } from './command.ts'
import { kong } from './secrets.ts'

/** Of the chart: `<release>-gateway-proxy`. */
export const proxyService = 'service/kong-gateway-proxy'

/** Most milliseconds that a forwarding may take to begin. */
const slowest = 30_000

/**
 * Asks for the students through Kong until they are there, or the time is over.
 * @returns the milliseconds of the answer. @throws CommandFailed
 */
export async function firstAnswer(cluster: Cluster, key: string, patience = 300_000): Promise<number> {
  const until = Date.now() + patience
  let last: unknown = 'nothing'
  while (Date.now() < until) {
    const forward = forwarding(cluster)
    try {
      const port = await portOf(forward, Math.min(slowest, until - Date.now()))
      for (;;) {
        const began = performance.now()
        const answer = await fetch(`http://127.0.0.1:${port}/api/students`, {
          headers: { 'x-api-key': key },
          signal: AbortSignal.timeout(60_000),
        })
        if (answer.status === 200) return performance.now() - began
        last = `${answer.status} ${await answer.text()}`
        if (Date.now() > until) break
        await sleep(1000)
      }
    } catch (error) {
      // The forwarding ends with the pod that it goes to, and does not begin before there is one.
      last = error
      await sleep(1000)
    } finally {
      forward.kill()
    }
  }
  throw new CommandFailed(
    `/api/students has not answered 200 through Kong within ${patience / 1000} s, but: ${last}`,
  )
}

/** Has a free port of this machine lead to Kong. */
function forwarding(cluster: Cluster): ChildProcessByStdio<null, Readable, Readable> {
  const where = ['--context', cluster.context, '--namespace', kong.namespace]
  return spawn('kubectl', [...where, 'port-forward', proxyService, ':80'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** @throws Error where it tells none in time */
async function portOf(child: ReturnType<typeof forwarding>, patience: number): Promise<number> {
  let said = ''
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const late = setTimeout(() => reject(new Error(`kubectl port-forward tells no port: ${said}`)), patience)
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk
    const found = /127\.0\.0\.1:(\d+)/.exec(said)?.[1]
    if (found) resolve(Number(found))
  })
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk
  })
  child.once('error', reject)
  child.once('close', () => reject(new Error(`kubectl port-forward ended: ${said}`)))
  return promise.finally(() => clearTimeout(late))
}
