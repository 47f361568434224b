import type { Dependencies } from '../wiring.ts'

/**
 * Plans, prints and applies. With `--check` it only plans, and exits with 2 where something differs; without `--force`
 * it applies nothing that may lose data.
 */
export default ({ provisioners, mode }: Dependencies<'provisioners' | 'mode'>) =>
  async () => {
    const steps = (await Promise.all(provisioners.map((one) => one.plan()))).flat()
    const refused = steps.filter((step) => step.destructive && !mode.force)
    for (const { title, destructive } of steps) {
      process.stdout.write(`plan: ${title}${destructive ? ' (may lose data)' : ''}\n`)
    }
    if (mode.check) {
      process.stdout.write(
        steps.length === 0 ? 'in place: nothing differs\n' : `${steps.length} differences\n`,
      )
      if (steps.length > 0) process.exitCode = 2
      return { planned: steps.length, applied: 0 }
    }
    if (refused.length > 0) {
      process.exitCode = 1
      process.stderr.write(
        `${refused.length} of these may lose data: nothing was applied; --force applies them\n`,
      )
      return { planned: steps.length, applied: 0 }
    }
    for (const step of steps) await step.apply()
    if (steps.length === 0) process.stdout.write('in place: nothing to do\n')
    return { planned: steps.length, applied: steps.length }
  }
