/** What the stand-in is started with. */
export interface Place {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/**
 * Over a database of Postgres: its password by the environment, where the driver inside looks for what the URL has not.
 * Arguments can be read by everybody on this machine.
 */
export function overPostgres(url: string): Place {
  const bare = new URL(url)
  const PGPASSWORD = decodeURIComponent(bare.password)
  bare.password = ''
  return { args: ['--postgres', bare.href], env: PGPASSWORD === '' ? {} : { PGPASSWORD } }
}
