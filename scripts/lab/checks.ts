import { duration, type Output } from '../local/output.ts'

/** A line for each check as it ends, with how long it took, and the sum of them. */
export class Checks {
  passed = 0
  failed = 0
  readonly failures: { readonly title: string; readonly reason: string }[] = []
  readonly #output: Output
  readonly #signal: AbortSignal
  /** What waits for something in the lab need not know that nobody waits any more. */
  readonly #aborted: Promise<never>

  constructor(output: Output, signal: AbortSignal) {
    this.#output = output
    this.#signal = signal
    this.#aborted = new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
    this.#aborted.catch(() => {})
  }

  /** Something that has to be so; what it returns is told beside it. A failure is counted, and the next check is made. */
  async check(title: string, work: () => Promise<string | undefined>): Promise<boolean> {
    this.#signal.throwIfAborted()
    const began = performance.now()
    const took = (): string => duration(performance.now() - began)
    try {
      const word = await Promise.race([work(), this.#aborted])
      this.passed++
      this.#output.line(`✓ ${title}  ${took()}${word ? `  ${word}` : ''}`)
      return true
    } catch (error) {
      this.#signal.throwIfAborted()
      const reason = error instanceof Error ? error.message : String(error)
      this.failed++
      this.failures.push({ title, reason })
      this.#output.line(`✗ ${title}  ${took()}\n${reason.replaceAll(/^/gm, '    ')}`)
      return false
    }
  }

  /** @param of what they are a part of, if they are one. @returns the exit code */
  sum(of = ''): 0 | 1 {
    this.#output.line(`${of}${this.passed} passed, ${this.failed} failed`)
    return this.failed > 0 || this.passed === 0 ? 1 : 0
  }
}
