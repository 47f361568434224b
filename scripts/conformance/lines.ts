import type { Reporter, TestCase, TestModule } from 'vitest/node'
import { kongDiffers } from './options.ts'

export interface Counts {
  passed: number
  failed: number
  left: number
}

/** A line for each check as it ends, and what is wrong below one that failed. */
export class Lines implements Reporter {
  readonly counts: Counts = { passed: 0, failed: 0, left: 0 }
  readonly #without: readonly string[]

  constructor(without: readonly string[]) {
    this.#without = without
  }

  onTestCaseResult(check: TestCase): void {
    const { state, errors } = check.result()
    if (state === 'passed') {
      this.counts.passed++
      console.log(`ok      ${check.fullName} (${Math.round(check.diagnostic()?.duration ?? 0)} ms)`)
    } else if (state === 'failed') {
      this.counts.failed++
      console.log(`FAILED  ${check.fullName}`)
      for (const error of errors) console.log(indented(messages(error).join('\n')))
    } else if (state === 'skipped') {
      this.counts.left++
      const name = this.#without.find((text) => check.fullName.includes(text))
      // Those that nobody asked for are only counted.
      if (name) console.log(`left    ${check.fullName}: ${kongDiffers[name] ?? 'as asked for'}`)
    }
  }

  /** What is wrong outside of checks: cleaning up, above all. */
  onTestModuleEnd(module: TestModule): void {
    const suites = [module, ...module.children.allSuites()]
    for (const error of suites.flatMap((suite) => suite.errors())) {
      this.counts.failed++
      console.log(`FAILED  ${indented(error.message).trim()}`)
    }
  }
}

const indented = (text: string): string => text.slice(0, 4000).replaceAll(/^/gm, '        ')

/** What an error says, and what its causes say: a property's own is only that it failed. */
function messages(error: unknown): string[] {
  const said: string[] = []
  for (
    let at = error;
    typeof at === 'object' && at !== null && said.length < 5;
    at = Reflect.get(at, 'cause')
  )
    said.push(String(Reflect.get(at, 'message')))
  return said
}
