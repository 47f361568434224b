import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import type { World } from './world.ts'

export function uniqueTests<F extends object>(world: World<F>): void {
  const { subject } = world
  const taken = {
    name: 'Failure',
    code: 'conflict',
    errors: expect.arrayContaining([{ pointer: expect.any(String), message: expect.any(String) }]),
  }

  it('inserts one of those that have the same fields', async () => {
    const fields = subject.fields()
    const attempts = Array.from({ length: 8 }, (_, i) => {
      const { repository } = i % 2 === 0 ? world.first : world.second
      return repository.insert(world.creation(fields))
    })
    const results = await Promise.allSettled(attempts)
    const refused = results.flatMap((result): unknown[] =>
      result.status === 'rejected' ? [result.reason] : [],
    )
    expect(refused).toHaveLength(7)
    for (const reason of refused) expect(reason).toMatchObject(taken)
  })

  it('refuses a change to the fields of another, and leaves no trace of it', async () => {
    const fields = subject.fields()
    await world.create(fields)
    const id = await world.create()
    const before = await world.repository.get(id)
    await expect(world.repository.change(id, world.editing(fields))).rejects.toMatchObject(taken)
    expect(await world.repository.get(id)).toEqual(before)
  })

  it('frees the fields of what was deleted', async () => {
    const fields = subject.fields()
    const id = await world.create(fields)
    await world.repository.change(id, world.deleting())
    expect(await world.repository.insert(world.creation(fields))).toEqual({ created: true })
  })

  it('keeps no claim of a creation that was refused', async () => {
    const fields = subject.fields()
    const id = await world.create(fields)
    const claim = { key: randomUUID(), payload: 'payload', answer: 'answer' }
    await expect(world.repository.insert(world.creation(fields), claim)).rejects.toMatchObject(taken)
    await world.repository.change(id, world.deleting())
    expect(await world.repository.insert(world.creation(fields), claim)).toEqual({ created: true })
  })
}
