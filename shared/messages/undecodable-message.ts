/**
 * A message that no redelivery can make readable: dead letter, at once. Its text names every problem found, and quotes
 * nothing of the payload but what failed a check, shortened.
 */
export class UndecodableMessage extends Error {
  override readonly name = 'UndecodableMessage'
  readonly problems: readonly string[]

  constructor(kind: string, problems: readonly string[], options?: ErrorOptions) {
    super(`not a valid ${kind}: ${problems.join('; ')}`, options)
    this.problems = problems
  }
}
