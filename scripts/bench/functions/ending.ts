import { join } from 'node:path'
import type { CronTrigger, JobTrigger } from '../../../shared/spec/define-function.ts'
import type { FunctionName } from '../../../shared/spec/names.ts'
import type { Child } from '../process.ts'
import type { Scene, Subject } from './subject.ts'

interface Usage {
  readonly type: 'usage'
  /** MB at its peak. */
  readonly memory: number
  /** Seconds, of the whole run. */
  readonly cpu: number
}

const flags = ['--require', join(import.meta.dirname, 'usage.cjs')]

/** What runs to its end: a tick of a cron function, a job. */
export function endingSubject(
  { spawn }: Scene,
  { full }: FunctionName,
  trigger: CronTrigger | JobTrigger,
): Subject {
  return {
    per: 'run',
    trigger: trigger.kind === 'cron' ? `cron ${trigger.schedule}` : 'job',
    async start() {
      const began = performance.now()
      await using child = spawn(full, { flags })
      const usage = usageOf(child)
      await child.done()
      const ms = performance.now() - began
      const { memory, cpu } = await usage
      return { ms, memory, cpu }
    },
  }
}

function usageOf({ process: child, exited }: Child): Promise<Usage> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: Usage | { readonly type: 'metrics' }) => {
      if (message.type === 'usage') resolve(message)
    })
    exited.then(() => reject(new Error('it did not tell what it took')))
  })
}
