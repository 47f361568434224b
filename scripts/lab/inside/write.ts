import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Measured, type Sum, table } from './table.ts'

/** The results as JSON, and as the block that deploy.md shows. */
export async function write(folder: string, measured: Measured, sum: Sum): Promise<void> {
  const { passed, failed, failures } = sum
  const all = { date: new Date().toISOString(), passed, failed, failures, ...measured }
  await writeFile(join(folder, 'results.json'), `${JSON.stringify(all, null, 2)}\n`)
  await writeFile(join(folder, 'results.md'), table(measured, sum))
}
