import * as v from 'valibot'

/** The lab's NATS, as its monitoring tells of it: at its own address, since names resolve only in pods. */
const monitor = 'http://10.99.0.30:8222/jsz?accounts=true&streams=true&consumers=true&config=true'

const consumer = v.object({
  name: v.string(),
  num_pending: v.number(),
  num_ack_pending: v.number(),
})

const answer = v.object({
  account_details: v.optional(
    v.array(
      v.object({
        stream_detail: v.optional(
          v.array(v.object({ name: v.string(), consumer_detail: v.optional(v.array(consumer), []) })),
          [],
        ),
      }),
    ),
    [],
  ),
})

/** What KEDA scales by: messages of each consumer that wait, and those under way. */
export async function lags(): Promise<Map<string, number>> {
  const { account_details: accounts } = v.parse(answer, await (await fetch(monitor)).json())
  return new Map(
    accounts
      .flatMap(({ stream_detail: streams }) => streams)
      .flatMap(({ consumer_detail: consumers }) => consumers)
      .map((one) => [one.name, one.num_pending + one.num_ack_pending]),
  )
}
