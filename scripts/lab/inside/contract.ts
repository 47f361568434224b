import { join } from 'node:path'
import { root } from '../lab.ts'
import { ran } from '../ran.ts'
import type { Scene } from './scene.ts'

/** Checks that the lab itself stands in the way of: its ingress joins lines of one header into one. */
const without = ['refuses two keys with 400']

/** Everything that the HTTP contract says, through the gateway, of functions that are pods. */
export async function contract({ checks, output, signal }: Scene, url: string, key: string): Promise<void> {
  await checks.check('npm run conformance', async () => {
    const { code, out, err } = await ran(
      process.execPath,
      [
        join(root, 'scripts/conformance.ts'),
        '--url',
        url,
        '--kong',
        ...without.flatMap((name) => ['--without', name]),
      ],
      { signal, env: { API_KEY: key } },
    )
    const told = out.split(/^(?=ok {6}|left {4}|FAILED {2}|\n)/m)
    for (const one of told.filter((line) => /^(FAILED|left)/.test(line))) output.line(one.trimEnd())
    const sum = /^\d+ passed.*$/m.exec(out)?.[0]
    if (code !== 0) throw new Error(sum ?? err)
    return sum
  })
}
