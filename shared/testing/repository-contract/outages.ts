import { expect, it } from 'vitest'
import type { FrailStore } from './subject.ts'
import type { World } from './world.ts'

export function outageTests<F extends object>(world: World<F>): void {
  const { subject } = world

  /** Everything at once, as many requests would come. */
  async function expectUnavailable({ repository, outbox }: FrailStore<F>, id: string): Promise<void> {
    const query = { limit: 10, sort: 'created_at', descending: false, filter: {} }
    const claim = { key: 'key', payload: '', answer: '' }
    const calls: Record<string, () => Promise<unknown>> = {
      get: () => repository.get(id),
      links: () => repository.links(id),
      list: () => repository.list(query),
      membersOf: () => repository.membersOf([subject.newOther()]),
      insert: () => repository.insert(world.creation()),
      claim: () => repository.insert(world.creation(), claim),
      change: () => repository.change(id, world.editing(subject.fields())),
      // Behind the one before, in this process and in the database.
      next: () => repository.change(id, world.editing(subject.fields())),
      absent: () => repository.change(subject.newId(), (current) => ({ result: current })),
      ping: () => repository.ping(),
      settled: () => outbox.settled([world.entry(id)]),
      sweep: () => outbox.sweep(0, 10, async () => {}),
      purge: () => outbox.purge(),
    }
    const began = performance.now()
    const outcomes = await Promise.all(
      Object.entries(calls).map(async ([name, call]) => {
        const outcome = await call().then(
          () => 'an answer',
          (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
        )
        return [
          name,
          outcome,
          performance.now() - began < 2000 ? 'in time' : `after ${performance.now() - began} ms`,
        ]
      }),
    )
    expect(outcomes).toEqual(Object.keys(calls).map((name) => [name, 'unavailable', 'in time']))
  }

  it('are told as such within two seconds, and are over when the server is back', async () => {
    if (!subject.frail) return
    await using store = await subject.frail()
    const creation = world.creation()
    await store.repository.insert(creation)
    const { id } = creation.next
    store.pause()
    try {
      await expectUnavailable(store, id)
      await expectUnavailable(store, id)
    } finally {
      store.resume()
    }
    // An outcome that was unknown may have been a success.
    await expect
      .poll(() => store.repository.get(id).then((entity) => entity?.id), { timeout: 40_000 })
      .toBe(id)
    await store.repository.change(id, world.editing(subject.fields()))

    await store.kill()
    await expectUnavailable(store, id)
    await expectUnavailable(store, id)
  })
}
