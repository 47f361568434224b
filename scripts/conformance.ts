import { join } from 'node:path'
import { startVitest } from 'vitest/node'
import { GatewayTarget } from '../shared/testing/http-conformance/gateway-target.ts'
import { Lines } from './conformance/lines.ts'
import { readOptions, usage } from './conformance/options.ts'

declare module 'vitest' {
  interface ProvidedContext {
    gateway: { url: string; key: string }
  }
}

const args = process.argv.slice(2)
if (args.includes('--help')) {
  console.log(usage)
  process.exit(0)
}
const options = readOptions(args, process.env)
if (typeof options === 'string') {
  console.error(`${options}\n\n${usage}`)
  process.exit(2)
}

const { url, key, without, only } = options
const refusal = await unreachable()
if (refusal) {
  console.error(refusal)
  process.exit(2)
}

const lines = new Lines(without)
const began = Date.now()
const quoted = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
const vitest = await startVitest('test', [], {
  root: join(import.meta.dirname, '..'),
  // Not the tests' own: they start servers.
  config: false,
  include: ['scripts/conformance/suite.ts'],
  provide: { gateway: { url, key } },
  reporters: [lines],
  watch: false,
  testNamePattern: new RegExp(
    `^${without.map((text) => `(?!.*${quoted(text)})`).join('')}.*${quoted(only ?? '')}`,
    's',
  ),
  // A gateway may have to start functions from zero, and some checks ask hundreds of times.
  testTimeout: 120_000,
  hookTimeout: 300_000,
})
await vitest.close()

const { passed, failed, left } = lines.counts
console.log(`
What was made is removed again; what marks it as removed, and answers kept for Idempotency-Keys, expire by themselves.
Not driven from outside: what happens when a server behind the functions is away, and limits on the rate of requests.
${passed} passed, ${failed} failed, ${left} left out, ${Math.round((Date.now() - began) / 1000)} s`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0

/** Why nothing can be asked at all: one sentence instead of hundreds of failures. */
async function unreachable(): Promise<string | undefined> {
  await using gateway = new GatewayTarget(url, key)
  try {
    const { status } = await gateway.request('GET', '/api/students?limit=1')
    if (status === 401) return `${url} does not know this key`
    if (status === 404) return `${url} has no /api/students: it is not a gateway of Registrar's`
    return undefined
  } catch (error) {
    return `${url} does not answer: ${error instanceof Error ? error.message : String(error)}`
  }
}
