import { connect as connectHttp2, createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { functionName } from '../../shared/spec/names.ts'
import type { Activator, Instance } from './activator.ts'
import { TcpActivator } from './tcp-activator.ts'
import { until } from './testing/fixture.ts'

test('h2c passes, many streams on one connection', async () => {
  const server = createServer((_, res) => res.end('pong'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  let holds = 0
  const hold = (): (() => void) => {
    holds++
    return () => {
      holds--
    }
  }
  const instance = { port, process: { stopping: false }, hold } as unknown as Instance
  const name = functionName('students/by-course')
  const activator = { name, acquire: async () => ({ instance, release: hold() }) } as unknown as Activator
  const listener = new TcpActivator(activator, 1000)
  const client = connectHttp2(await listener.listen())
  const ask = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const stream = client.request({ ':path': '/', ':method': 'POST' })
      let said = ''
      stream.setEncoding('utf8').on('data', (chunk) => {
        said += chunk
      })
      stream.on('end', () => resolve(said)).on('error', reject)
      stream.end('ping')
    })
  expect(await Promise.all(Array.from({ length: 50 }, ask))).toEqual(Array(50).fill('pong'))
  client.close()
  await until('all is given back', () => holds === 0)
  await listener[Symbol.asyncDispose]()
  server.close()
})
