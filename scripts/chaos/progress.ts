import type { Recorder } from './history.ts'

/** Between two lines where nobody can see one change, in milliseconds. */
const seldom = 15_000

/** Tells how a run goes: one line that changes on a terminal, now and then a line elsewhere. */
export class Progress implements Disposable {
  readonly #out: NodeJS.WriteStream
  readonly #began = performance.now()
  #timer: NodeJS.Timeout | undefined

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.#out = out
  }

  say(text: string): void {
    this.#stop()
    this.#out.write(`${this.#clear()}${this.#clock()}  ${text}\n`)
  }

  watch(recorder: Recorder, minutes: number): void {
    const end = recorder.now() + minutes * 60_000
    this.#tell(() => {
      const left = Math.max(0, Math.round((end - recorder.now()) / 1000))
      const acknowledged = recorder.writes.filter(({ outcome }) => outcome === 'acknowledged').length
      const breaking = [...recorder.underWay].map(({ kind, began }) => {
        const seconds = Math.round((recorder.now() - began) / 1000)
        return seconds > 0 ? `${kind} for ${seconds} s` : kind
      })
      return [
        `${recorder.writes.length} writes (${acknowledged} acknowledged)`,
        `${recorder.reads.length} reads`,
        `${recorder.faults.length} faults`,
        ...breaking,
        `${left} s left`,
      ].join(', ')
    })
  }

  /** To be told how much is not at rest yet. */
  waiting(): (left: number) => void {
    let now = 0
    this.say('waiting for rest')
    this.#tell(() => `waiting for rest: ${now} entries and messages left`)
    return (left) => {
      now = left
    }
  }

  [Symbol.dispose](): void {
    this.#stop()
  }

  #tell(text: () => string): void {
    this.#stop()
    const end = this.#out.isTTY ? '' : '\n'
    const write = (): void => void this.#out.write(`${this.#clear()}${this.#clock()}  ${text()}${end}`)
    this.#timer = setInterval(write, this.#out.isTTY ? 500 : seldom)
  }

  #stop(): void {
    clearInterval(this.#timer)
  }

  #clear(): string {
    return this.#out.isTTY ? '\r\u001b[K' : ''
  }

  #clock(): string {
    return `${((performance.now() - this.#began) / 1000).toFixed(0).padStart(5)} s`
  }
}
