import type { DiscoveredFunction } from '../../shared/spec/discover.ts'

/** The durable consumers that the initializer makes: one for each function that is triggered by a stream. */
export function consumers(functions: readonly DiscoveredFunction[]): string {
  const list = functions.flatMap(({ name, declaration: { trigger } }) =>
    trigger.kind === 'stream'
      ? [{ stream: trigger.stream, subject: trigger.subject, consumer: name.slug }]
      : [],
  )
  return `${JSON.stringify(list, null, 2)}\n`
}
