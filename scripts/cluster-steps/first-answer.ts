import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import { kong } from './secrets.ts'

/** Of the chart: `<release>-gateway-proxy`. */
export const proxyService = 'service/kong-gateway-proxy'

/** Asks for the students through Kong until they are there, or the time is over. @returns the milliseconds of the answer. */
export async function firstAnswer(cluster: Cluster, key: string, patience = 300_000): Promise<number> {
  const until = Date.now() + patience
  let last: unknown = 'nothing'
  while (Date.now() < until) {
    const forward = await forwarded(cluster)
    try {
      for (;;) {
        const began = performance.now()
        const answer = await fetch(`http://127.0.0.1:${forward.port}/api/students`, {
          headers: { 'x-api-key': key },
          signal: AbortSignal.timeout(60_000),
        })
        if (answer.status === 200) return performance.now() - began
        last = `${answer.status} ${await answer.text()}`
        if (Date.now() > until) break
        await sleep(1000)
      }
    } catch (error) {
      // The forwarding ends with the pod that it goes to.
      last = error
      await sleep(1000)
    } finally {
      forward.child.kill()
    }
  }
  throw new Error(`/api/students has not answered 200 through Kong within ${patience / 1000} s, but: ${last}`)
}

/** A free port of this machine that leads to Kong. */
async function forwarded(cluster: Cluster): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const where = ['--context', cluster.context, '--namespace', kong.namespace]
  const child = spawn('kubectl', [...where, 'port-forward', proxyService, ':80'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const port = await new Promise<number>((resolve, reject) => {
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
  })
  return { child, port }
}
