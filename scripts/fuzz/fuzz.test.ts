import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Config } from '../../shared/config.ts'
import { registerFunction } from '../../shared/hosts/functions-framework.ts'
import { wire } from '../../shared/hosts/host.ts'
import { type HttpAssembly, wiredApp } from '../../shared/hosts/http.ts'
import { assemble } from '../../shared/hosts/main.ts'
import { nodeHttpServer } from '../../shared/hosts/node-http.ts'
import { discoverFunctions } from '../../shared/spec/discover.ts'
import { listen } from '../../shared/testing/http-conformance/hosts.ts'
import { openPlatform, type Platform } from '../../shared/testing/http-conformance/platform.ts'
import { removeFolder, testFolder } from '../../shared/testing/temporary.ts'
import { Environment } from '../../shared/wiring/environment.ts'
import { runScript } from '../local/testing/script.ts'
import { Campaign, type CampaignOptions, type Report } from './campaign.ts'
import { Description } from './openapi.ts'
import { argumentsOf, readOptions } from './options.ts'
import { reported } from './report.ts'
import { startSystem } from './system.ts'

vi.setConfig({ testTimeout: 600_000, hookTimeout: 120_000 })

const root = join(import.meta.dirname, '../..')
// Another one in each run; a failure says which it was.
const seed = Math.floor(Math.random() * 2 ** 31)

async function fuzzed(
  options: Omit<CampaignOptions, 'seed' | 'lanes'> & Partial<CampaignOptions>,
): Promise<Report> {
  return new Campaign({ lanes: 8, seed, ...options }).run()
}

function expectNothing(report: Report): void {
  // Not the faults themselves: their bytes may be many, and the report shortens them.
  expect(report.found.length, `seed ${seed}\n${reported(report, 0, undefined)}`).toBe(0)
}

test('the whole system keeps to its description, whatever 2,000 requests ask of it', async () => {
  await using system = await startSystem()
  const report = await fuzzed({ origin: system.origin, description: new Description(), requests: 2000 })
  expectNothing(report)
  expect(report.sent).toBe(2000)
  // It comes to every kind of answer that a healthy system has.
  const seen = [...report.statuses.keys()]
  expect(seen).toEqual(expect.arrayContaining([200, 201, 204, 400, 401, 404, 405, 412, 415, 422]))
  expect([...report.families.keys()].toSorted()).toEqual(['framing', 'hostile', 'nearly', 'valid'])
})

describe('a function without its gateway', () => {
  const name = 'courses/create'
  const description = new Description(({ path, method }) => path === '/api/courses' && method === 'POST')
  const stack = new AsyncDisposableStack()
  let platform: Platform
  beforeAll(async () => {
    platform = stack.use(await openPlatform())
  })
  afterAll(() => stack.disposeAsync())
  const environment = () => stack.use(new Environment(name, new Config(platform.variables)))

  test('keeps to it on the native host', async () => {
    // Discovered as an HTTP function.
    const assembly = (await assemble(name)) as HttpAssembly
    const port = await listen(nodeHttpServer(wiredApp(assembly, await wire(environment(), assembly))), stack)
    const report = await fuzzed({ origin: { hostname: '127.0.0.1', port }, description, requests: 2000 })
    expectNothing(report)
    expect(report.statuses.get(201)).toBeGreaterThan(100)
  })

  test('keeps to it under functions-framework', async () => {
    const found = (await discoverFunctions(root)).find((one) => one.name.full === name)
    if (!found) throw new Error(`there is no ${name}`)
    const made = registerFunction(found, environment())
    if (made) stack.use(made)
    const port = await listen(getTestServer(found.name.slug), stack)
    const report = await fuzzed({ origin: { hostname: '127.0.0.1', port }, description, requests: 1000 })
    expectNothing(report)
    expect(report.statuses.get(201)).toBeGreaterThan(50)
  })
})

test('the command says what it found and how to find it again, with a code for it', async () => {
  await using stack = new AsyncDisposableStack()
  const key = 'topsecret-0123456789'
  const server = createServer((request, response) => {
    const { status, body } =
      request.headers['x-api-key'] !== key
        ? { status: 401, body: 'no' }
        : { status: 200, body: JSON.stringify({ data: [], next_cursor: null }) }
    request.resume()
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  })
  const port = await listen(server, stack)
  const url = `http://127.0.0.1:${port}`
  const { code, said } = await fuzz('--url', url, '--key', key, '--requests', '50', '--seed', '7')
  expect([code, said]).toEqual([
    1,
    expect.stringMatching(/^seed 7\n[\s\S]*^FOUND {2}[\s\S]*\n {2}the smallest request/m),
  ])
  expect(said).toMatch(/\n[1-9]\d* faults found\nagain: /)
  expect(said).toContain(`\nagain: npm run fuzz -- --url ${url} --requests 50 --seed 7 --lanes 8\n`)
  expect(said).toContain('x-api-key: ********************')
  expect(said).not.toContain(key)
  for (const [args, sentence] of [
    [['--url', url, '--key', 'wrong'], /does not know this key$/],
    [['--url', 'http://127.0.0.1:9', '--key', 'k'], /does not answer: /],
    [['--requests', 'many'], /^--requests is not a whole number/],
  ] as const) {
    const refused = await fuzz(...args)
    expect([refused.code, refused.said.split('\n')[0]]).toEqual([1, expect.stringMatching(sentence)])
  }
  expect(await fuzz('--help')).toEqual({ code: 0, said: expect.stringMatching(/^usage: npm run fuzz/) })
})

test('who ends it while the system starts leaves nothing behind', async () => {
  await using stack = new AsyncDisposableStack()
  const dir = await testFolder()
  stack.defer(() => removeFolder(dir))
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [join(root, 'scripts/fuzz/fuzz.ts')], {
    env: { PATH, HOME, TMPDIR: dir },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = Promise.all([text(child.stdout), text(child.stderr)])
  const ended = once(child, 'close')
  await vi.waitUntil(async () => (await readdir(dir)).length > 0, { timeout: 60_000 })
  child.kill('SIGINT')
  await ended
  expect([child.exitCode, await said]).toEqual([1, ['', 'starting a system on engines of its own\n']])
  expect(await readdir(dir)).toEqual([])
})

test('what it is told is checked', () => {
  const read = (args: string): unknown => readOptions(args.split(' '), { API_KEY: 'k' })
  expect(read('--url http://localhost:8000 --seed 5')).toMatchObject({
    origin: { hostname: 'localhost', port: 8000, key: 'k' },
    requests: 2000,
    seed: 5,
  })
  expect(read('--requests 10')).toMatchObject({ origin: undefined, requests: 10 })
  for (const bad of [
    '--url ftp://x',
    '--url http://x/api',
    '--seed -1',
    '--seed 1.5',
    '--lanes 0',
    '--key k',
    '--nonsense',
  ])
    expect(typeof read(bad), bad).toBe('string')
})

test.each(['--url http://localhost:8000 --requests 10 --seed 5 --stalls', '--seed 5 --lanes 2'])(
  'the arguments that ask for the same again: %s',
  (args) => {
    const options = readOptions(args.split(' '), { API_KEY: 'k' })
    if (typeof options !== 'object') throw new Error(options)
    expect(readOptions(argumentsOf(options), { API_KEY: 'k' })).toEqual(options)
  },
)

const fuzz = (...args: string[]) => runScript('scripts/fuzz/fuzz.ts', ...args)
