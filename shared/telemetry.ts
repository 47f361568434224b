import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { recordSpans } from './tracing.ts'

/** Sends spans to the OTLP endpoint of the environment; what is left is sent when it is disposed of. */
export function telemetry(name: string): AsyncDisposable {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': name, 'service.namespace': 'registrar' }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter(), { scheduledDelayMillis: 1000 })],
  })
  trace.setGlobalTracerProvider(provider)
  recordSpans()
  return { [Symbol.asyncDispose]: () => provider.shutdown() }
}
