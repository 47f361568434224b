import { toFailure, unavailable } from '../errors.ts'
import type { Provisioner } from './provisioner.ts'

/** The same, whose failures `unavailable` say which of the servers it is: `the database of the students`. */
export function naming(what: string, provisioner: Provisioner): Provisioner {
  return {
    async plan() {
      const steps = await named(what, provisioner.plan())
      return steps.map((step) => ({ ...step, apply: () => named(what, step.apply()) }))
    },
  }
}

async function named<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const { code, cause } = toFailure(error)
    throw code === 'unavailable' ? unavailable(what, cause) : error
  }
}
