import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { Failure } from '../../errors.ts'
import type { Claim, Insertion } from '../../resource/ports.ts'
import type { World } from './world.ts'

const day = 24 * 60 * 60 * 1000

export function claimTests<F extends object>(world: World<F>): void {
  const claimOf = (answer: string, key = randomUUID(), payload = 'payload'): Claim => ({
    key,
    payload,
    answer,
  })

  it('replays the first answer, from any process, and creates nothing again', async () => {
    const [first, second] = [world.creation(), world.creation()]
    const claim = claimOf(JSON.stringify({ id: first.next.id, text: '\u{1F600} "quoted"' }))
    expect(await world.repository.insert(first, claim)).toEqual({ created: true })
    const again = { ...claim, answer: 'another' }
    for (const { repository } of [world.first, world.second]) {
      expect(await repository.insert(second, again)).toEqual({ created: false, answer: claim.answer })
    }
    expect(await world.repository.get(first.next.id)).toBeDefined()
    expect(await world.repository.get(second.next.id)).toBeUndefined()
  })

  it('refuses the key with another payload', async () => {
    const claim = claimOf('answer')
    await world.repository.insert(world.creation(), claim)
    const other = world.repository.insert(world.creation(), { ...claim, payload: 'another' })
    await expect(other).rejects.toMatchObject({ name: 'Failure', code: 'invalid' })
  })

  it('creates one of those that come at once; the others are told to wait or given its answer', async () => {
    const key = randomUUID()
    const creations = Array.from({ length: 12 }, () => world.creation())
    const results = await Promise.allSettled(
      creations.map((creation, i) => {
        const { repository } = i % 2 === 0 ? world.first : world.second
        return repository.insert(creation, claimOf(creation.next.id, key))
      }),
    )
    const insertions = results.flatMap((result): Insertion[] =>
      result.status === 'fulfilled' ? [result.value] : [],
    )
    const refusals = results.flatMap((result): unknown[] =>
      result.status === 'rejected' ? [result.reason] : [],
    )
    const winner = creations.find(
      (_, i) => results[i]?.status === 'fulfilled' && insertionOf(results[i])?.created,
    )
    expect(insertions.filter(({ created }) => created)).toHaveLength(1)
    for (const one of insertions) if (!one.created) expect(one.answer).toBe(winner?.next.id)
    for (const one of refusals) expect(one instanceof Failure && one.code).toBe('conflict')
    const there = await Promise.all(creations.map(({ next }) => world.repository.get(next.id)))
    expect(there.filter((entity) => entity !== undefined).map((entity) => entity?.id)).toEqual([
      winner?.next.id,
    ])
  })

  it('forgets after a day', async () => {
    const claim = claimOf('first')
    await world.repository.insert(world.creation(), claim)
    await world.subject.age(day - 60_000)
    expect(await world.repository.insert(world.creation(), claim)).toMatchObject({ created: false })
    await world.subject.age(2 * 60_000)
    const fresh = world.creation()
    const other = { ...claim, payload: 'another', answer: 'second' }
    expect(await world.repository.insert(fresh, other)).toEqual({ created: true })
    expect(await world.repository.get(fresh.next.id)).toBeDefined()
    expect(await world.repository.insert(world.creation(), other)).toEqual({
      created: false,
      answer: 'second',
    })
  })

  it('replays although what was created is gone', async () => {
    const creation = world.creation()
    const claim = claimOf('answer')
    await world.repository.insert(creation, claim)
    await world.repository.change(creation.next.id, world.deleting())
    expect(await world.repository.insert(world.creation(), claim)).toEqual({
      created: false,
      answer: 'answer',
    })
    expect(await world.repository.get(creation.next.id)).toBeUndefined()
  })
}

function insertionOf(result: PromiseSettledResult<Insertion> | undefined): Insertion | undefined {
  return result?.status === 'fulfilled' ? result.value : undefined
}
