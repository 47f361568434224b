// Stands in for shared/hosts/main.ts in the tests of the local run: every kind of process, and each misdeed on demand.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'nats'
import { Counter, Registry } from 'prom-client'

const name = process.env['FUNCTION'] ?? ''
const journal = process.env['NODE_TEST_JOURNAL']
process.title = name

const tell = (event: string): void => {
  if (journal) appendFileSync(journal, `${name} ${event} ${process.pid}\n`)
}
tell('start')

/** Waits while the test holds what bears this name. */
const held = async (gate: string): Promise<void> => {
  while (gate !== '' && existsSync(`${journal}.${gate}`)) await sleep(10)
}

const registry = new Registry()
const requests = new Counter({
  name: 'fake_requests_total',
  help: 'requests',
  labelNames: ['function'],
  registers: [registry],
})
const report = async (): Promise<void> => {
  if (process.connected) process.send?.({ type: 'metrics', metrics: await registry.getMetricsAsJSON() })
}
process.on('message', () => void report())
process.on('disconnect', () => process.exit())

async function serve(): Promise<void> {
  if (process.env['NODE_TEST_FAIL_START'] === name) {
    console.error('this function cannot start')
    process.exit(3)
  }
  // As a function does it that is asked to end before it is ready.
  const atStart = (): void => process.exit(0)
  process.on('SIGTERM', atStart)
  await held(name.replace('/', '-'))
  let active = 0
  let most = 0
  let stopping = false
  const server = createServer(async (req, res) => {
    most = Math.max(most, ++active)
    requests.inc({ function: name })
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk)
    tell(`request ${req.method} ${req.url}`)
    const header = (key: string): string => String(req.headers[key] ?? '')
    if (header('x-kill') === 'once' && !journalHas(`killed ${header('x-nonce')}`)) {
      tell(`killed ${header('x-nonce')}`)
      process.kill(process.pid, 'SIGKILL')
    }
    if (header('x-kill') === 'halfway') {
      res.writeHead(200, { 'content-length': '1000' })
      res.write('half')
      await sleep(50)
      process.kill(process.pid, 'SIGKILL')
    }
    if (header('x-block')) while (true);
    await held(header('x-hold'))
    // As many as this are to be under way at a time.
    while (most < Number(header('x-together'))) await sleep(10)
    await sleep(Number(header('x-sleep')))
    tell(`answered ${Date.now()}`)
    const answer = {
      name,
      pid: process.pid,
      stopping,
      url: req.url,
      headers: req.headers,
      env: process.env,
      body: Buffer.concat(chunks).toString('latin1'),
    }
    const content = JSON.stringify(answer)
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) })
    res.end(content)
    active--
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    process.send?.({ type: 'ready', port: address && typeof address === 'object' ? address.port : 0 })
  })
  process.off('SIGTERM', atStart)
  process.on('SIGTERM', async () => {
    stopping = true
    tell(`term ${Date.now()}`)
    const leftAlone = new Promise<void>((resolve) => {
      process.on('message', ({ type }: { type?: string }) => {
        if (type !== 'left alone') return
        tell('left alone')
        resolve()
      })
    })
    process.send?.({ type: 'stopping' })
    server.close()
    while (active > 0) await sleep(10)
    await Promise.race([leftAlone, sleep(1000)])
    await report()
    tell('end')
    process.exit(0)
  })
}

function journalHas(text: string): boolean {
  return journal ? readFileSync(journal, 'utf8').includes(text) : false
}

async function work(): Promise<void> {
  const connection = await connect({
    ...natsOptions(process.env['EVENTS_URL'] ?? ''),
    inboxPrefix: `_INBOX.${name.replace('/', '-')}`,
    maxReconnectAttempts: -1,
  })
  const consumer = await connection.jetstream().consumers.get('Changes', name.replace('/', '-'))
  const messages = await consumer.consume({ max_messages: 1 })
  process.send?.({ type: 'ready' })
  process.on('SIGTERM', async () => {
    await messages.close()
    await connection.drain()
    process.exit(0)
  })
  for await (const message of messages) {
    const text = message.string()
    tell(`message ${text}`)
    if (text === 'die' && !message.redelivered) process.kill(process.pid, 'SIGKILL')
    await message.ackAck()
  }
}

async function initialize(): Promise<void> {
  if (process.env['NODE_TEST_FAIL_INITIALIZE']) {
    console.error('Error: the schema is not what it should be')
    process.exit(1)
  }
  const connection = await connect(natsOptions(process.env['EVENTS_URL'] ?? ''))
  const manager = await connection.jetstreamManager()
  await manager.streams.add({ name: 'Changes', subjects: ['changes.>'] })
  await manager.consumers.add('Changes', {
    durable_name: 'students-enrol',
    ack_policy: 'explicit' as never,
    ack_wait: 1e9,
  })
  await connection.close()
  process.exit(0)
}

function natsOptions(url: string): { servers: string; user: string; pass: string } {
  const { host, username, password } = new URL(url)
  return { servers: host, user: username, pass: password }
}

if (name === 'platform/initialize') await initialize()
else if (name.endsWith('/sweep')) process.exit(0)
else if (name.endsWith('/enrol')) await work()
else await serve()
