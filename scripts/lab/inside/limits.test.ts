import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, onTestFinished, vi } from 'vitest'
import { Output } from '../../local/output.ts'
import { Checks } from '../checks.ts'
import { Api } from './api.ts'
import type { Confinement } from './container.ts'
import { limits } from './limits.ts'
import { Observer } from './observer.ts'
import { Pods, type SeenPod, watchPods } from './pods.ts'

afterEach(() => vi.unstubAllEnvs())

const good: Confinement = {
  uid: '65532',
  capabilities: '0000000000000000',
  noNewPrivileges: true,
  seccomp: true,
  rootReadOnly: true,
}
const asRoot: Confinement = { ...good, uid: '0' }
const memory = { own: 1, limit: 2, reached: 0 }

const pod = (name: string): SeenPod => ({
  name,
  slug: 'students-get',
  created: 1,
  ready: 2,
  restarts: 0,
  badEnds: new Set(),
})

/** What the checks find wrong, after pods whose processes were seen like that. */
async function failuresOf(pods: Pods, ...seen: readonly Confinement[]): Promise<string[]> {
  const { signal } = new AbortController()
  const output = new Output()
  vi.spyOn(output, 'line').mockImplementation(() => {})
  const checks = new Checks(output, signal)
  await using observer = new Observer(pods)
  for (const [i, confinement] of seen.entries()) {
    const one = pod(`students-get-${i}`)
    pods.all.set(one.name, one)
    observer.take(one, memory, confinement, true)
  }
  await limits({ checks, output, signal, pods, observer, functions: [], api: new Api('', '') })
  return checks.failures.map(({ reason }) => reason)
}

it('finds nothing wrong with pods that are as they should be', async () => {
  expect(await failuresOf(new Pods(), good, good)).toEqual([])
})

it.each([
  ['the first', [asRoot, good]],
  ['the last', [good, asRoot]],
])('sees one pod that may too much, whatever the others of its function may: %s', async (_, seen) => {
  expect(await failuresOf(new Pods(), ...seen)).toEqual([expect.stringContaining('"uid":"0"')])
})

it('takes the process of a pod that is not ready yet for the runtime’s, and looks again', async () => {
  await using observer = new Observer(new Pods())
  const one = pod('students-get-1')
  observer.take(one, memory, asRoot, false)
  expect(observer.bySlug.get('students-get')).toMatchObject({ pods: 0 })
  observer.take(one, memory, good, false)
  observer.take(one, memory, asRoot, true)
  expect(observer.bySlug.get('students-get')).toMatchObject({ pods: 1, confinement: good })
})

it('says nothing of pods whose watch has ended, nor waits for what it would have told', async () => {
  const bin = await mkdtemp(join(tmpdir(), 'registrar-limits-'))
  onTestFinished(() => rm(bin, { recursive: true, force: true }))
  await writeFile(join(bin, 'kubectl'), '#!/bin/sh\nexit 3\n')
  await chmod(join(bin, 'kubectl'), 0o755)
  for (const [path, why] of [
    [`${bin}:/usr/bin:/bin`, 'kubectl ended with 3'],
    ['/nowhere', 'spawn kubectl ENOENT'],
  ]) {
    vi.stubEnv('PATH', path)
    const pods = new Pods()
    using _watch = watchPods(pods)
    const ended = `the watch of the pods has ended: ${why}`
    await expect(pods.until('it is so', () => false, 30)).rejects.toThrow(ended)
    expect(await failuresOf(pods, good)).toEqual([ended, ended])
  }
})
