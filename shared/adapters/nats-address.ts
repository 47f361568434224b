/** What the driver is told of where a server is, and who comes to it. */
export interface NatsAddress {
  readonly servers: string[]
  readonly user?: string
  readonly pass?: string
  readonly token?: string
  /** Without it the server decides. */
  readonly tls?: Readonly<Record<string, never>>
}

/**
 * A URL as the driver takes it, which reads neither credentials nor lists out of one: `nats://user:password@a,b`,
 * `nats://token@a`, and `tls://` for a server that must speak TLS. By hand, for a list of hosts is no URL.
 */
export function natsAddress(url: string): NatsAddress {
  const [, scheme = '', credentials, hosts = ''] = /^([a-z]+):\/\/(?:([^@/]*)@)?([^/?]*)/i.exec(url) ?? []
  const address = {
    servers: hosts.split(',').filter((host) => host !== ''),
    ...(scheme.toLowerCase() === 'tls' ? { tls: {} } : {}),
  }
  if (!credentials) return address
  const [user = '', pass] = credentials.split(':').map(decodeURIComponent)
  return pass === undefined ? { ...address, token: user } : { ...address, user, pass }
}
