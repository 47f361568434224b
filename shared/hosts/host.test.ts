import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'

/** A function that breaks its process while it serves, as a driver's timer may. */
const broken = `
  import { serveHttp } from '${import.meta.dirname}/http.ts'
  const operation = { method: 'GET', path: '/', summary: '', success: { status: 200, description: '' }, failures: [] }
  const handler = () => ({ break: async () => {
    setImmediate(() => { throw new Error('out of nowhere') })
    await new Promise((resolve) => setTimeout(resolve, 200))
    return { body: 'served' }
  } })
  await serveHttp({
    name: 'some/function',
    declaration: { summary: '', trigger: { kind: 'http', operations: { break: operation } }, needs: [] },
    handler,
    wires: {},
  })`

it('what nobody foresaw is told in one line of the log, ends what is under way, and then the process', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', broken], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  try {
    if (!child.stdout || !child.stderr) throw new Error('it has no output')
    const [said, complained] = [text(child.stdout), text(child.stderr)]
    const exit = once(child, 'exit')
    const [{ port }] = await once(child, 'message')
    const response = await fetch(`http://127.0.0.1:${port}/`)
    expect([response.status, await response.text()]).toEqual([200, 'served'])
    // Of a connection that its caller would keep it does not wait.
    expect(response.headers.get('connection')).toBe('close')
    expect(await exit).toEqual([1, null])
    expect(await complained).toBe('')
    const lines: { level: string; error?: string[] }[] = (await said)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.filter(({ level }) => level === 'error')).toMatchObject([
      { error: [expect.stringContaining('out of nowhere')] },
    ])
  } finally {
    child.kill('SIGKILL')
  }
})
