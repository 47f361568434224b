import { Failure, invalid } from '../errors.ts'
import type { Claim } from '../resource/ports.ts'
import type { Transaction } from './postgres-client.ts'
import { prepared } from './postgres-rows.ts'

/**
 * The answer kept under the claim; without one, the claim is made, and kept if the transaction is. The lock is the
 * transaction's too, so that nothing of a creation that was killed is left in the way of the next try.
 *
 * @throws Failure as `Repository.insert` says.
 */
export async function claimIn(
  sql: Transaction,
  schema: string,
  { key, payload, answer }: Claim,
): Promise<string | undefined> {
  const [lock] = await sql.unsafe<{ mine: boolean }[]>(
    `select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as mine`,
    [`${schema} ${key}`],
    prepared,
  )
  const [kept] = await sql.unsafe<{ payload: string; answer: string }[]>(
    `select payload, answer from ${schema}.idempotency where key = $1 and created_at > now() - interval '24 hours'`,
    [key],
    prepared,
  )
  if (kept && kept.payload !== payload) {
    throw invalid([
      { pointer: '', message: 'is not the body that this Idempotency-Key was used with before' },
    ])
  }
  if (kept) return kept.answer
  // Only who makes the answer is in the way: replays of one that is kept are not in each other's.
  if (!lock?.mine) {
    throw new Failure('conflict', {
      headers: { 'retry-after': '1' },
      detail: 'a request with this Idempotency-Key is being served; try again later',
    })
  }
  await sql.unsafe(
    `insert into ${schema}.idempotency (key, payload, answer) values ($1, $2, $3)
     on conflict (key) do update set payload = excluded.payload, answer = excluded.answer, created_at = now()`,
    [key, payload, answer],
    prepared,
  )
  return undefined
}
