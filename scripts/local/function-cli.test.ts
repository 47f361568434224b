import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { freePort } from '../engines/engine.ts'
import { Started, Tree, until } from './testing/fixture.ts'

vi.setConfig({ testTimeout: 180_000 })

const source = `import { http } from '@google-cloud/functions-framework'
http('students-get', (req, res) => res.json({ path: req.path, title: process.title, url: process.env.EVENTS_URL }))
`

function runAlone(tree: Tree, args: string[], env = {}, npm = false) {
  const { PATH = '', HOME = '' } = process.env
  const [command, own] = npm
    ? ['npm', ['run', 'function', '--']]
    : [process.execPath, ['scripts/function.ts']]
  const child = spawn(command, [...own, ...args], {
    cwd: tree.root,
    env: { PATH, HOME, ...env },
    // A group of its own, which can be ended whole.
    detached: npm,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
    })
  }
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, exited, said: () => said }
}

test('one function runs alone under the framework, on loopback, with the servers of the run', async () => {
  using tree = new Tree()
  tree.write('shared/hosts/functions-framework.ts', source)
  await using _ = await new Started(tree).ready()
  const port = await freePort()
  const alone = runAlone(tree, ['students/get'], { PORT: String(port) })
  try {
    await until('it serves', () =>
      fetch(`http://127.0.0.1:${port}/api/x`).then(
        ({ ok }) => ok,
        () => false,
      ),
    )
    const { urls } = JSON.parse(readFileSync(join(tree.dataDir, 'run.json'), 'utf8'))
    const answer = await (await fetch(`http://127.0.0.1:${port}/api/x`)).json()
    expect(answer).toEqual({ path: '/api/x', title: 'students/get', url: urls.EVENTS_URL })
    expect(listeners(port)).toEqual(['0100007F'])
  } finally {
    alone.child.kill('SIGINT')
    await alone.exited
  }
})

test.each(['SIGTERM', 'SIGINT'] as const)('%s to npm ends the function as well', async (signal) => {
  using tree = new Tree()
  tree.write('shared/hosts/functions-framework.ts', source)
  await using _ = await new Started(tree).ready()
  const port = await freePort()
  const alone = runAlone(tree, ['students/get'], { PORT: String(port) }, true)
  try {
    await until('it listens', async () => listeners(port).length > 0)
    alone.child.kill(signal)
    await until('it is gone', async () => listeners(port).length === 0)
    await alone.exited
  } finally {
    endGroup(alone.child.pid)
  }
})

/** Whatever is left of it. */
function endGroup(pid = 0): void {
  try {
    if (pid > 0) process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

test.each([
  ['no name', [], /^Say which HTTP function/],
  ['a name of nothing', ['students/none'], /^Say which HTTP function/],
  ['no run and no servers', ['students/get'], /^There are no servers/],
])('%s is one clear sentence', async (_, args, sentence) => {
  using tree = new Tree()
  const { exited, said } = runAlone(tree, args)
  expect(await exited).toBe(1)
  expect(said()).toMatch(sentence)
  expect(said().trim().split('\n')).toHaveLength(1)
})

/** Local addresses that listen on a port, as /proc has them. */
function listeners(port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local = '', , state]) => local.endsWith(`:${hex}`) && state === '0A')
      .map(([, local = '']) => local.split(':')[0] ?? ''),
  )
}
