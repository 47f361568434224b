import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { readOptions } from './conformance/options.ts'
import { key, Started } from './local/testing/fixture.ts'
import { runScript } from './local/testing/script.ts'
import { WholeTree } from './local/testing/whole-tree.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 })

const stack = new AsyncDisposableStack()
let run: Started

beforeAll(async () => {
  run = new Started(stack.use(new WholeTree()), { npm: true })
  stack.defer(async () => {
    // To npm and all below it, as Ctrl-C goes.
    process.kill(-(run.child.pid ?? 0), 'SIGINT')
    await run.exited
  })
  await run.ready()
})
afterAll(() => stack.disposeAsync())

const conformance = (...args: string[]) => runScript('scripts/conformance.ts', ...args)

test('the local gateway conforms, and nothing is left in it', async () => {
  const { code, said } = await conformance('--url', run.url, '--key', key)
  const [, passed] = /^(\d+) passed, 0 failed, 0 left out/m.exec(said) ?? []
  expect([code, Number(passed) > 140], said.replaceAll(/^ok .*\n/gm, '')).toEqual([0, true])
  expect(said.match(/^ok {6}/gm)).toHaveLength(Number(passed))
  for (const path of ['/api/students', '/api/courses'])
    expect(await (await run.fetch(path)).json()).toEqual({ data: [], next_cursor: null })
})

test('what is left out is told', async () => {
  const { code, said } = await conformance(
    '--url',
    run.url,
    '--key',
    key,
    '--only',
    'the key',
    '--without',
    'query',
  )
  expect([code, said]).toEqual([
    0,
    expect.stringMatching(/^left {4}.*is refused in a query.*: as asked for$/m),
  ])
  expect(said).toMatch(/^\d+ passed, 0 failed, \d+ left out, \d+ s$/m)
})

test('a gateway that answers otherwise fails, with what is wrong and a code for it', async () => {
  // Knows paths and keys, and nothing of problems.
  const server = createServer((req, res) => {
    res.writeHead(req.headers['x-api-key'] === key ? 200 : 401, { 'content-type': 'application/json' })
    res.end('{"data":[]}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stack.defer(() => void server.close())
  const { port } = server.address() as AddressInfo
  const { code, said } = await conformance(
    '--url',
    `http://127.0.0.1:${port}`,
    '--key',
    key,
    '--only',
    'the key',
  )
  expect([code, said]).toEqual([
    1,
    expect.stringMatching(/^FAILED {2}the key of 'students' > is asked for.*\n {8}\S/m),
  ])
  expect(said).toMatch(/^\d+ passed, [1-9]\d* failed/m)
})

test('a gateway that is none is one sentence', async () => {
  for (const [args, sentence] of [
    [['--url', run.url, '--key', 'wrong'], /does not know this key/],
    [['--url', 'http://127.0.0.1:9', '--key', key], /does not answer/],
    [['--url', run.url], /--key is missing/],
  ] as const) {
    const { code, said } = await conformance(...args)
    expect([code, said]).toEqual([2, expect.stringMatching(sentence)])
  }
})

test('what it is told is checked', () => {
  const read = (args: string): unknown => readOptions(args.split(' '), { API_KEY: 'k' })
  expect(read('--url http://localhost:8000/ --only x')).toEqual({
    url: 'http://localhost:8000',
    key: 'k',
    without: [],
    only: 'x',
  })
  expect(read('--url http://localhost --kong --without a')).toMatchObject({
    without: ['a', expect.any(String), expect.any(String)],
  })
  for (const bad of ['--url ftp://x', '--url http://x/api', '--url', '--nonsense', 'http://localhost:8000'])
    expect(typeof read(bad), bad).toBe('string')
})
