/**
 * The minutes between two ticks of a cron schedule, for platforms that can only wait and call.
 * @throws when it is none that comes at even intervals
 */
export function minutesBetween(schedule: string): number {
  const [, step] = /^\*(?:\/(\d+))? \* \* \* \*$/.exec(schedule) ?? []
  const minutes = Number(step ?? 1)
  if (!/^\*(\/\d+)? \* \* \* \*$/.test(schedule) || minutes < 1 || 60 % minutes !== 0)
    throw new Error(`"${schedule}" does not come at even intervals, and compose.yaml has no cron`)
  return minutes
}
