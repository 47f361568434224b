import { expect, it } from 'vitest'
import { natsUrl } from '../testing/engines.ts'
import { natsAddress } from './nats-address.ts'
import { NatsClient } from './nats-client.ts'

it.each([
  ['nats://a', { servers: ['a'] }],
  ['nats://a:1,b:2,[::1]:3/x', { servers: ['a:1', 'b:2', '[::1]:3'] }],
  ['nats://u:p%40ss@a:1,b', { servers: ['a:1', 'b'], user: 'u', pass: 'p@ss' }],
  ['nats://t%2Fken@a', { servers: ['a'], token: 't/ken' }],
  ['tls://u:p@a:1', { servers: ['a:1'], user: 'u', pass: 'p', tls: {} }],
])('%s', (url, address) => {
  expect(natsAddress(url)).toEqual(address)
})

it('of several servers one that is there is enough', async () => {
  const { username, password, host } = new URL(natsUrl())
  const url = `nats://${username}:${password}@127.0.0.1:1,${host}`
  await using client = new NatsClient({ url, name: 'several' })
  expect((await (await client.jetstream()).jetstreamManager()).streams).toBeDefined()
})
