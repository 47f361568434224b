import postgres from 'postgres'
import { translate } from './postgres-client.ts'

/**
 * One connection for as long as some work takes: for who comes seldom, and needs no pool. Rejects with the failure
 * `unavailable` when the server cannot serve.
 */
export async function inSession<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 5, fetch_types: false })
  try {
    return await work(sql)
  } catch (error) {
    throw translate(error)
  } finally {
    await sql.end({ timeout: 2 })
  }
}
