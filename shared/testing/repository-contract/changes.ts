import { expect, it } from 'vitest'
import { presentIds } from '../../enrolment/links.ts'
import { notFound } from '../../errors.ts'
import { existing, type World } from './world.ts'

export function changeTests<F extends object>(world: World<F>): void {
  const { subject } = world

  it('gives back what was inserted', async () => {
    const members = [subject.newOther(), subject.newOther()]
    const creation = world.creation(undefined, members, 1_763_960_000_123)
    expect(await world.repository.insert(creation)).toEqual({ created: true })
    const { id, fields, createdAt } = creation.next
    const entity = { id, fields, members, version: 1, createdAt, updatedAt: createdAt }
    expect(await world.repository.get(id)).toEqual(entity)
    expect(await world.second.repository.get(id)).toEqual(entity)
    expect(await world.repository.links(id)).toEqual(creation.changed)
  })

  it('knows nothing of an id that was never inserted', async () => {
    const id = subject.newId()
    expect(await world.repository.get(id)).toBeUndefined()
    expect(await world.repository.links(id)).toBeUndefined()
    expect(await world.repository.change(id, (current) => ({ result: current }))).toBeUndefined()
  })

  it('shows the decision the aggregate and writes what it wants', async () => {
    const creation = world.creation(undefined, [subject.newOther()])
    await world.repository.insert(creation)
    const { id } = creation.next
    const fields = subject.fields()
    const version = await world.repository.change(id, (current) => {
      expect(current).toEqual(creation.next)
      return world.editing(fields)(current)
    })
    expect(version).toBe(2)
    const entity = await world.repository.get(id)
    expect(entity).toMatchObject({ fields, version: 2, members: presentIds(creation.changed) })
    expect(entity).toMatchObject({
      createdAt: creation.next.createdAt,
      updatedAt: creation.next.updatedAt + 1,
    })
  })

  it('writes nothing when the decision wants nothing, or refuses', async () => {
    const id = await world.create()
    const before = await world.repository.get(id)
    expect(await world.repository.change(id, () => ({ result: 'as it is' }))).toBe('as it is')
    const refusal = notFound('never mind')
    const refused = world.repository.change(id, () => {
      throw refusal
    })
    await expect(refused).rejects.toBe(refusal)
    expect(await world.repository.get(id)).toEqual(before)
  })

  it('hides what was deleted from every reader and writer', async () => {
    const other = subject.newOther()
    const fields = subject.fields()
    const id = await world.create(fields, [other])
    await world.repository.change(id, world.deleting())
    expect(await world.repository.get(id)).toBeUndefined()
    expect(await world.repository.links(id)).toBeUndefined()
    expect((await world.repository.membersOf([other])).get(other)).toEqual([])
    const [text] = subject.texts
    const filter = { [text]: String(Object.entries(fields).find(([field]) => field === text)?.[1]) }
    const query = { limit: 10, sort: text, descending: false, filter }
    expect(await world.repository.list(query)).toEqual({ items: [], more: false })
    expect(await world.repository.change(id, (current) => ({ result: current }))).toBeUndefined()
  })

  it('lets fifty writers of one aggregate all succeed, each on top of the one before', async () => {
    const id = await world.create()
    const bases: number[] = []
    const others = Array.from({ length: 50 }, () => subject.newOther())
    await Promise.all(
      others.map((other, i) => {
        const { repository } = i % 2 === 0 ? world.first : world.second
        let base = 0
        const ts = 1_763_960_000_000_000 + i
        return repository
          .change(id, (current) => {
            base = existing(current).version
            return world.linking(other, { present: true, ts, origin: 'S' })(current)
          })
          .then(() => bases.push(base))
      }),
    )
    expect(bases.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
    expect(await world.repository.get(id)).toMatchObject({ version: 51, members: others })
  })

  it('goes on after a writer that was refused', async () => {
    const id = await world.create()
    const refusal = notFound('refused')
    const refused = world.repository.change(id, () => {
      throw refusal
    })
    const [first, second] = await Promise.allSettled([
      refused,
      world.repository.change(id, world.editing(subject.fields())),
    ])
    expect(first).toMatchObject({ status: 'rejected', reason: refusal })
    expect(second).toMatchObject({ status: 'fulfilled', value: 2 })
  })

  it('answers a ping', async () => {
    await world.repository.ping()
  })
}
