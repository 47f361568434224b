import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Variables } from '../config.ts'

export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
  /** What it planned, a line each. */
  readonly plan: readonly string[]
}

/** The initializer in its process, as it is deployed. */
export async function initialize(variables: Variables, ...flags: string[]): Promise<Ended> {
  const main = join(import.meta.dirname, '../hosts/main.ts')
  const { PATH } = process.env
  return new Promise((resolve) => {
    const args = [main, 'platform/initialize', ...flags]
    execFile(process.execPath, args, { env: { PATH, ...variables } }, (error, out, err) => {
      const plan = out.split('\n').flatMap((line) => (line.startsWith('plan: ') ? [line.slice(6)] : []))
      resolve({ code: error ? Number(error.code) : 0, out, err, plan })
    })
  })
}
