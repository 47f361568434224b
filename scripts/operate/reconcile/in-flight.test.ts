import { expect, it } from 'vitest'
import { outboxesTold } from './in-flight.ts'
import type { Store, Untold } from './store.ts'

/** A side of which nothing is asked but its outbox, which holds this many entries, and forgets none that came later. */
class Outbox implements Store {
  readonly side: 'S' | 'C'
  entries: Untold[] = []
  #last = 0

  constructor(side: 'S' | 'C', count: number) {
    this.side = side
    this.write(count)
  }

  write(count: number): void {
    for (let i = 0; i < count; i++)
      this.entries.push({ id: `${this.side}${++this.#last}`, subject: 's', age: 1 })
  }

  settle(count: number): void {
    this.entries.splice(0, count)
  }

  untold = async (limit: number): Promise<Untold[]> => this.entries.slice(0, limit)
  page = async () => []
  about = async () => new Map()
  showing = async () => []
}

it.each([
  [600, 500],
  [0, 999],
  [1, 0],
])('waits for no more than the entries of the moment: %i and %i', async (students, courses) => {
  const [S, C] = [new Outbox('S', students), new Outbox('C', courses)]
  const told = await outboxesTold({ S, C })
  expect(await told()).toBe(false)
  // A busy system: there is always something else.
  for (const side of [S, C]) side.write(10)
  S.settle(students)
  expect(await told()).toBe(courses === 0)
  C.settle(courses)
  expect(await told()).toBe(true)
})

it('is certain of nothing while one side has more than can be looked at', async () => {
  const [S, C] = [new Outbox('S', 1), new Outbox('C', 1500)]
  const told = await outboxesTold({ S, C })
  S.settle(1)
  C.settle(1000)
  expect(await told()).toBe(false)
  C.settle(500)
  expect(await told()).toBe(true)
})
