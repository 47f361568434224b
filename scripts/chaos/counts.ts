/** What the log of a run says was done, counted as it comes by. */
export class Counts {
  /** Messages that JetStream delivered again. */
  redelivered = 0
  /** Outbox entries that a function could not tell by itself, and left to the sweeper. */
  resent = 0
  /** Processes of functions. */
  started = 0

  take(line: string): void {
    const entry = parse(line)
    if (typeof entry['deliveries'] === 'number') this.redelivered++
    if (entry['message'] === 'left in the outbox for the sweeper') this.resent++
    if (entry['event'] === 'started') this.started++
  }
}

function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(line)
  } catch {
    return {}
  }
}
