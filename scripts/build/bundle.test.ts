import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPlatform } from '../../shared/testing/http-conformance/platform.ts'
import { bundleFunctions } from './bundle.ts'
import { bundleArguments } from './current.ts'

const root = join(import.meta.dirname, '../..')
const stack = new AsyncDisposableStack()
let out: string
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'registrar-bundles-'))
  stack.defer(() => rm(out, { recursive: true, force: true }))
  const { variables } = stack.use(await openPlatform())
  await bundleFunctions(root, out)
  env = { PATH: process.env['PATH'] ?? '', HOST: '127.0.0.1', PORT: '0', ...variables }
})
afterAll(() => stack.disposeAsync())

it('leaves no process of the bundler behind, which would have our environment', async () => {
  const children = async (): Promise<string[]> => {
    const pids = (await readFile(`/proc/self/task/${process.pid}/children`, 'utf8'))
      .split(' ')
      .filter(Boolean)
    return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'gone')))
  }
  await expect.poll(children).not.toContain('esbuild\n')
})

const caches = async (): Promise<string[]> =>
  (await readdir(out, { recursive: true })).filter((file) => file.endsWith('.cache')).sort()

/** Runs a bundle's process around some work. */
async function running(name: string, work: (url: string) => Promise<void>): Promise<void> {
  const child: ChildProcess = spawn(process.execPath, bundleArguments(out, name), {
    env: { ...env, FUNCTION: name },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  try {
    const exit = once(child, 'exit')
    const [{ port }] = await once(child, 'message')
    await work(`http://127.0.0.1:${port}`)
    child.kill('SIGTERM')
    expect(await exit).toEqual([0, null])
  } finally {
    child.kill('SIGKILL')
  }
}

const create = async (url: string): Promise<void> => {
  const response = await fetch(`${url}/api/students`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: randomBytes(8).toString('hex'),
      first_name: 'First',
      last_name: 'Last',
      course_ids: ['0123456789abcdef01234567'],
    }),
  })
  expect(response.status).toBe(201)
}

it('scripts are ASCII, as which they are read, and hold no driver that is a script of its own', async () => {
  for (const file of (await readdir(out, { recursive: true })).filter((name) => name.endsWith('.cjs'))) {
    const bytes = await readFile(join(out, file))
    expect([file, bytes.every((byte) => byte < 128)]).toEqual([file, true])
    const drivers = ['nats', 'mongodb'].filter((name) => bytes.includes(`node_modules/${name}/`))
    expect([file, drivers]).toEqual([file, file.startsWith('packages/') ? [basename(file, '.cjs')] : []])
  }
})

it('a process that had no invocation leaves no code cache', async () => {
  await running('students/create', async (url) => {
    expect((await fetch(`${url}/_/health`)).status).toBe(200)
  })
  expect(await caches()).toEqual([])
})

it('the first that had one leaves its own and its drivers', async () => {
  await running('students/create', create)
  expect(await caches()).toEqual(['students/create.cjs.cache', 'students/create.cjs.nats.cjs.cache'])
})

it('a code cache that fits is used, and one that does not is replaced', async () => {
  const file = join(out, 'students/create.cjs.cache')
  const { mtimeMs, size } = await stat(file)
  await running('students/create', create)
  expect((await stat(file)).mtimeMs).toBe(mtimeMs)
  await writeFile(file, Buffer.alloc(size))
  await running('students/create', create)
  expect((await readFile(file)).some((byte) => byte !== 0)).toBe(true)
})

it('new bundles have none of the old ones', async () => {
  expect(await caches()).not.toEqual([])
  await bundleFunctions(root, out)
  expect(await caches()).toEqual([])
})
