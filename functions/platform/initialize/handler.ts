import { setTimeout as sleep } from 'node:timers/promises'
import { toFailure } from '../../../shared/errors.ts'
import type { Provisioner, Step } from '../../../shared/provision/provisioner.ts'
import { exitCodes } from '../../../shared/spec/exit-codes.ts'
import type { Dependencies } from '../wiring.ts'

/**
 * Plans, prints and applies. With `--check` it only plans, and exits with 2 where something differs. It applies nothing,
 * and exits with 3, where something may lose data and there is no `--force`, or where something is a human's to mend.
 */
export default ({ provisioners, mode }: Dependencies<'provisioners' | 'mode'>) =>
  async () => {
    const steps = await planned(provisioners, mode.wait)
    const refused = steps.filter((step) => step.destructive && !mode.force)
    const manual = steps.filter((step) => step.manual)
    for (const { title, destructive, manual } of steps) {
      process.stdout.write(
        `plan: ${title}${destructive ? ' (may lose data)' : ''}${manual ? ' (by hand)' : ''}\n`,
      )
    }
    if (mode.check) {
      process.stdout.write(
        steps.length === 0 ? 'in place: nothing differs\n' : `${steps.length} differences\n`,
      )
      if (steps.length > 0) process.exitCode = exitCodes.differs
      return { planned: steps.length, applied: 0 }
    }
    if (manual.length > 0) {
      process.exitCode = exitCodes.needsSomebody
      const what = manual.map(({ title }) => title).join('; ')
      process.stderr.write(
        `this has to be mended by hand, from a backup or as the migrations made it, and nothing was applied: ${what}\n`,
      )
      return { planned: steps.length, applied: 0 }
    }
    if (refused.length > 0) {
      process.exitCode = exitCodes.needsSomebody
      process.stderr.write(
        `${refused.length} of these may lose data: nothing was applied; --force applies them\n`,
      )
      return { planned: steps.length, applied: 0 }
    }
    for (const step of steps) await step.apply()
    if (steps.length === 0) process.stdout.write('in place: nothing to do\n')
    return { planned: steps.length, applied: steps.length }
  }

/** Between two tries, in milliseconds. */
const pause = 1000

/** What differs everywhere; for so many seconds it asks again where a server is not there yet, and says for which it waits. */
async function planned(provisioners: readonly Provisioner[], seconds: number): Promise<readonly Step[]> {
  const end = performance.now() + seconds * 1000
  for (let said: string | undefined; ; ) {
    try {
      return (await Promise.all(provisioners.map((one) => one.plan()))).flat()
    } catch (error) {
      const { code, detail } = toFailure(error)
      if (code !== 'unavailable' || performance.now() >= end) throw error
      if (detail !== said) process.stdout.write(`waiting: ${detail}\n`)
      said = detail
      await sleep(pause)
    }
  }
}
