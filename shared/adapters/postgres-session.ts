import postgres from 'postgres'

/** One connection for as long as some work takes: for who comes seldom, and needs no pool. */
export async function inSession<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 5, fetch_types: false })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 2 })
  }
}
