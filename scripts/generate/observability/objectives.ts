/** What is promised of each service, measured at the gateway: there it is seen what a cold start costs, or a function that never came up. */
export const objectives = {
  /** Share of requests that are not answered with a 5xx. */
  availability: 0.999,
  /** Share of requests that are answered within `latencySeconds`, cold starts included. */
  latency: 0.99,
  latencySeconds: 1,
} as const

/** A budget for thirty days burns this many times too fast, over a long window and, so that it ends with its cause, a short one. */
export interface Burn {
  readonly long: string
  readonly short: string
  readonly factor: number
  readonly severity: 'page' | 'ticket'
}

/** The four of the SRE workbook: 2 %, 5 %, 10 % and 10 % of the budget spent. */
export const burns: readonly Burn[] = [
  { long: '1h', short: '5m', factor: 14.4, severity: 'page' },
  { long: '6h', short: '30m', factor: 6, severity: 'page' },
  { long: '1d', short: '2h', factor: 3, severity: 'ticket' },
  { long: '3d', short: '6h', factor: 1, severity: 'ticket' },
]

export const windows: readonly string[] = [
  ...new Set(burns.flatMap(({ long, short }) => [short, long])),
].sort((a, b) => seconds(a) - seconds(b))

function seconds(window: string): number {
  const unit = { m: 60, h: 3600, d: 86_400 }[window.slice(-1)]
  return Number(window.slice(0, -1)) * (unit ?? Number.NaN)
}
