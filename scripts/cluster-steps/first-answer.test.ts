import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, onTestFinished, vi } from 'vitest'
import { Cluster } from './cluster.ts'
import { CommandFailed } from './command.ts'
import { firstAnswer } from './first-answer.ts'

afterEach(() => vi.unstubAllEnvs())

it.each([
  ['exec sleep 60', 'kubectl port-forward tells no port: '],
  ['echo "no pod" >&2; exit 1', 'kubectl port-forward ended: no pod'],
])(
  'waits no longer than its patience where kubectl does "%s"',
  async (script, why) => {
    const bin = await mkdtemp(join(tmpdir(), 'registrar-first-answer-'))
    onTestFinished(() => rm(bin, { recursive: true, force: true }))
    await writeFile(join(bin, 'kubectl'), `#!/bin/sh\n${script}\n`)
    await chmod(join(bin, 'kubectl'), 0o755)
    vi.stubEnv('PATH', `${bin}:/usr/bin:/bin`)
    const answer = firstAnswer(new Cluster('kind-kind'), 'key', 500)
    await expect(answer).rejects.toThrow(CommandFailed)
    await expect(answer).rejects.toThrow(`within 0.5 s, but: Error: ${why}`)
  },
  10_000,
)
