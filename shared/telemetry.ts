import { context, DiagLogLevel, diag, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { causes } from './errors.ts'
import { log } from './log.ts'
import { recordSpans } from './tracing.ts'
import { within } from './within.ts'

/** Longest that an end waits for the collector, in milliseconds: one that is away shall not keep it. */
const patience = 1000

/** How often it is said that spans are lost, in milliseconds. */
const silence = 60_000

/**
 * Sends spans to the OTLP endpoint of the environment; what is left is sent when it is disposed of. A collector that
 * cannot be reached costs spans and a warning, never more: nothing here rejects.
 */
export function telemetry(name: string): AsyncDisposable {
  sayWhatIsLost()
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': name, 'service.namespace': 'registrar' }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter(), { scheduledDelayMillis: 1000 })],
  })
  trace.setGlobalTracerProvider(provider)
  recordSpans()
  return {
    [Symbol.asyncDispose]: async () => {
      try {
        await within(patience, provider.shutdown(), () => new Error('the collector does not answer'))
      } catch (error) {
        log('warn', { message: 'the last spans were not taken', error: causes(error) })
      }
    },
  }
}

/** The SDK tells its errors to nobody unless it is asked. */
function sayWhatIsLost(): void {
  let said = Number.NEGATIVE_INFINITY
  const error = (message: string): void => {
    const now = performance.now()
    if (now - said < silence) return
    said = now
    log('warn', { message: 'spans are not taken', error: [message.slice(0, 300)] })
  }
  const nothing = (): void => {}
  const logger = { error, warn: nothing, info: nothing, debug: nothing, verbose: nothing }
  diag.setLogger(logger, { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true })
}
