import { expect, it } from 'vitest'
import type { Register } from '../../enrolment/register.ts'
import type { World } from './world.ts'

const at = 1_763_960_000_000_000

export function linkTests<F extends object>(world: World<F>): void {
  const { subject } = world

  it('keeps each register as it is, the reason of a rejected one too', async () => {
    const id = await world.create()
    const registers: [string, Register][] = [
      [subject.newOther(), { present: true, ts: at, origin: 'S' }],
      [subject.newOther(), { present: false, ts: at + 1, origin: 'C' }],
      [subject.newOther(), { present: false, ts: at + 2, origin: 'C', reason: 'course_full' }],
      [subject.newOther(), { present: false, ts: at + 3, origin: 'S', reason: 'student_not_found' }],
      [subject.newOther(), { present: true, ts: Number.MAX_SAFE_INTEGER, origin: 'Z' }],
    ]
    for (const [other, register] of registers)
      await world.repository.change(id, world.linking(other, register))
    expect(await world.repository.links(id)).toEqual(new Map(registers))
    // A register that is replaced leaves nothing of the one before.
    const [[rejected] = ['']] = registers.slice(2)
    const again: Register = { present: true, ts: at + 9, origin: 'S' }
    await world.repository.change(id, world.linking(rejected, again))
    expect((await world.repository.links(id))?.get(rejected)).toEqual(again)
  })

  it('gives the present ids by time, then by id', async () => {
    const id = await world.create()
    const [a = '', b = '', c = '', d = ''] = Array.from({ length: 4 }, () => subject.newOther()).sort()
    const present = (ts: number): Register => ({ present: true, ts, origin: 'S' })
    await world.repository.change(id, world.linking(c, present(at + 5)))
    await world.repository.change(id, world.linking(b, present(at + 5)))
    await world.repository.change(id, world.linking(d, present(at)))
    await world.repository.change(id, world.linking(a, { present: false, ts: at + 1, origin: 'C' }))
    expect(await world.repository.get(id)).toMatchObject({ members: [d, b, c] })
  })

  it('writes registers also where nothing moves that readers see', async () => {
    const id = await world.create()
    const other = subject.newOther()
    await world.repository.change(id, world.linking(other, { present: false, ts: at, origin: 'S' }, false))
    const newer: Register = { present: false, ts: at + 1, origin: 'C' }
    await world.repository.change(id, world.linking(other, newer, false))
    expect(await world.repository.get(id)).toMatchObject({ version: 1 })
    expect(await world.repository.links(id)).toEqual(new Map([[other, newer]]))
  })

  it('gives each its own when many are asked for at once, and nothing of what is not there', async () => {
    const ids = await Promise.all(Array.from({ length: 120 }, () => world.create()))
    const register = (i: number): Register => ({ present: true, ts: at + i, origin: 'S' })
    const others = await Promise.all(
      ids.map(async (id, i) => {
        const other = subject.newOther()
        await world.repository.change(id, world.linking(other, register(i)))
        return other
      }),
    )
    const asked = [...ids, subject.newId(), ...ids.slice(0, 3)]
    const [entities, links] = await Promise.all([
      Promise.all(asked.map((id) => world.repository.get(id))),
      Promise.all(asked.map((id) => world.repository.links(id))),
    ])
    const expected = [...ids.keys(), undefined, 0, 1, 2]
    for (const [n, i] of expected.entries()) {
      if (i === undefined) expect([entities[n], links[n]]).toEqual([undefined, undefined])
      else {
        expect(entities[n]).toMatchObject({ id: ids[i], members: [others[i]] })
        expect(links[n]).toEqual(new Map([[others[i], register(i)]]))
      }
    }
  })

  it('keeps the floor', async () => {
    const id = await world.create()
    await world.repository.change(id, (current) => {
      const decision = world.editing(subject.fields())(current)
      const { change } = decision
      return change?.next
        ? { ...decision, change: { ...change, next: { ...change.next, floor: at + 7 } } }
        : decision
    })
    const floor = await world.repository.change(id, (current) => ({ result: current?.floor }))
    expect(floor).toBe(at + 7)
  })

  it('finds the members of each id of a batch, in the order of their ids', async () => {
    const [popular, lonely, absent] = [subject.newOther(), subject.newOther(), subject.newOther()]
    const ids = [
      await world.create(undefined, [popular]),
      await world.create(undefined, [popular, lonely]),
      await world.create(undefined, [subject.newOther(), popular]),
    ].sort()
    const left = await world.create(undefined, [popular])
    await world.repository.change(left, world.linking(popular, { present: false, ts: at * 2, origin: 'S' }))
    const found = await world.repository.membersOf([popular, absent, lonely])
    expect([...found.keys()]).toEqual([popular, absent, lonely])
    expect(found.get(popular)?.map(({ id }) => id)).toEqual(ids)
    expect(found.get(absent)).toEqual([])
    const [only] = found.get(lonely) ?? []
    expect(only).toEqual(await world.repository.get(only?.id ?? ''))
    expect(only?.members).toEqual([popular, lonely])
    expect(await world.repository.membersOf([])).toEqual(new Map())
  })
}
