import { observeDrift, observeOutboxAge } from '../metrics.ts'
import { type Context, compose, type Invoke } from '../middleware/middleware.ts'
import { logging, tracing } from '../middleware/observe.ts'
import { untraced } from '../tracing.ts'
import { type Assembly, jobProcess } from './host.ts'

/**
 * What handler.ts of a job or a cron function is: one run; what it returns goes into the log line, and the age of an
 * outbox, as `oldest_seconds`, into the metrics; so does what was `planned` and not `applied`.
 */
export type Run = (context: Context) => Promise<Readonly<Record<string, string | number>> | undefined>

/** Runs a job, or one tick of a cron function, to its end; a failure is exit code 1. */
export function runJob(assembly: Assembly): Promise<void> {
  return jobProcess(assembly, async (handlers) => {
    const run = handlers as Run
    const invoke: Invoke<undefined, void> = async (_, context) => {
      const found = await run(context)
      Object.assign(context.fields, found)
      if (typeof found?.['oldest_seconds'] === 'number')
        observeOutboxAge(assembly.name, found['oldest_seconds'])
      if (typeof found?.['planned'] === 'number')
        observeDrift(assembly.name, found['planned'] - Number(found['applied']))
    }
    const context: Context = {
      function: assembly.name,
      trigger: 'job',
      method: 'run',
      parent: undefined,
      trace: untraced,
      outcome: 'ok',
      fields: {},
    }
    try {
      await compose([tracing<undefined, void>(), logging()], invoke)(undefined, context)
    } catch {
      // Logged, with its cause, by the middleware.
      process.exitCode = 1
    }
  })
}
