import type { Server } from 'node:net'
import { backlog } from '../../shared/hosts/listen.ts'
import { Refusal } from './refusal.ts'

const loopback = ['127.0.0.1', '::1'] as const

/** One server for each loopback address, all on one port; the second family is left out where the machine has none. */
export async function listenLocally(port: number, make: () => Server): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const first = await listen(make(), loopback[0], port)
    if (first === 'missing' || first === 'taken') throw taken(port)
    const server = make()
    const second = await listen(server, loopback[1], first.port)
    if (second !== 'taken') return first.port
    // `localhost` may well mean the other family, where somebody else would answer.
    await first.close()
    if (port !== 0 || attempt === 5) throw taken(first.port)
  }
}

/** Fails when the port is not to be had, without keeping it. */
export async function checkPort(port: number, make: () => Server): Promise<void> {
  if (port === 0) return
  const servers: Server[] = []
  try {
    await listenLocally(port, () => {
      const server = make()
      servers.push(server)
      return server
    })
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}

const taken = (port: number): Refusal =>
  new Refusal(
    `Port ${port} on localhost is taken by another program: stop it, or set PORT to another (0 for any free one).`,
  )

interface Listening {
  readonly port: number
  close(): Promise<void>
}

function listen(server: Server, host: string, port: number): Promise<Listening | 'taken' | 'missing'> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const code = 'code' in error ? error.code : undefined
      if (code === 'EADDRINUSE') resolve('taken')
      else if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') resolve('missing')
      else if (code === 'EACCES')
        reject(new Refusal(`Port ${port} needs rights that this user does not have: set PORT to another.`))
      else reject(error)
    })
    server.listen({ host, port, backlog, ipv6Only: host === '::1' }, () => {
      const address = server.address()
      const close = async (): Promise<void> => {
        await new Promise((done) => server.close(done))
      }
      resolve({ port: address !== null && typeof address === 'object' ? address.port : port, close })
    })
  })
}
