import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { listen } from './listen.ts'

async function listening(host: string, port = 0): Promise<Server & AsyncDisposable> {
  const server = createServer((request, response) => response.end(request.url))
  listen(server, port, host)
  await once(server, 'listening')
  return server
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

it.each([
  ['127.0.0.1', '127.0.0.1'],
  ['localhost', expect.stringMatching(/^(127\.0\.0\.1|::1)$/)],
])('on %s it serves there and nowhere else', async (host, address) => {
  await using server = await listening(host)
  expect(server.address()).toMatchObject({ address })
  expect(await (await fetch(`http://${host}:${portOf(server)}/asked`)).text()).toBe('/asked')
})

it('a port that is taken is an error of the server', async () => {
  await using server = await listening('127.0.0.1')
  await expect(listening('127.0.0.1', portOf(server))).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

it('this Node still has the short way', () => {
  expect(Reflect.get(createServer(), '_listen2')).toBeTypeOf('function')
})
