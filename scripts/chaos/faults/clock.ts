import { rename, writeFile } from 'node:fs/promises'
import { type Fault, recorded, type Stage, wait } from './stage.ts'

const hour = 3_600_000

/** Each function gets another clock, from an hour slow to an hour fast; a few keep the right one. */
export const clock: Fault = async (stage, random, kind) => {
  await recorded(stage, kind, 'clocks', async () => {
    const skews = stage.functions.map((name) => [name, random.chance(0.3) ? 0 : random.between(-hour, hour)])
    await setClocks(stage, Object.fromEntries(skews))
    await wait(stage, random.between(3000, 12_000))
    await setClocks(stage, {})
  })
}

/** In milliseconds, by function; those that are not named are right. Taken over within a second. */
async function setClocks(
  { system }: Pick<Stage, 'system'>,
  skews: Readonly<Record<string, number>>,
): Promise<void> {
  await writeFile(`${system.clockFile}.new`, JSON.stringify(skews))
  await rename(`${system.clockFile}.new`, system.clockFile)
}
