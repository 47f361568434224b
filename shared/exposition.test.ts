import { expect, it } from 'vitest'
import { expose } from './exposition.ts'
import { metrics, observeDeadLetter } from './metrics.ts'
import { observeInvocation } from './tallies.ts'

const text = 'text/plain; version=0.0.4; charset=utf-8'
const openMetrics = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
const traceId = 'a'.repeat(32)

observeInvocation({ function: 'things/get', trigger: 'http', method: 'GET', outcome: 'ok' }, 0.002, traceId)
observeDeadLetter('things/enrol', 'undecodable')

const told = async (accept?: string) => expose(await (await metrics()).getMetricsAsJSON(), accept)

it.each([
  [undefined, text],
  ['*/*', text],
  ['text/plain;version=0.0.4;q=1,*/*;q=0.1', text],
  ['application/openmetrics-text;q=0, text/plain', text],
  ['application/openmetrics-text', openMetrics],
  ['Application/OpenMetrics-Text; version=1.0.0', openMetrics],
  // Prometheus 2 and 3
  [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    openMetrics,
  ],
  [
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    openMetrics,
  ],
])('answers a scraper that accepts %s in %s', async (accept, contentType) => {
  expect((await told(accept)).contentType).toBe(contentType)
})

it('has exemplars, the end and the names of OpenMetrics there alone, whichever is asked for first', async () => {
  const bucket = `registrar_invocation_duration_seconds_bucket{le="0.0025",function="things/get",trigger="http",method="GET",outcome="ok"} 1`
  const counter = 'registrar_dead_letters_total{function="things/enrol",reason="undecodable"} 1\n'
  for (let times = 0; times < 2; times++) {
    const open = (await told(openMetrics)).text
    expect(open).toContain(`${bucket} # {trace_id="${traceId}"} 0.002 `)
    expect(open).toContain(counter)
    expect(open).toContain('# TYPE registrar_dead_letters counter\n')
    expect(open).toMatch(/\n# EOF\n$/)
    const plain = (await told()).text
    expect(plain).toContain(`${bucket}\n`)
    expect(plain).toContain(counter)
    expect(plain).toContain('# TYPE registrar_dead_letters_total counter\n')
    expect(plain).not.toMatch(/trace_id|EOF/)
  }
})
