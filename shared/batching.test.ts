import { expect, it, vi } from 'vitest'
import { batching } from './batching.ts'

const world = (most = 100) => {
  const load = vi.fn(async (ids: readonly string[], _context: string) => new Set(ids))
  return { load, ask: batching(load, most) }
}

it('loads once what is asked for in one turn, each id once, in the context of the first', async () => {
  const { load, ask } = world()
  const answers = await Promise.all([ask('a', 'first'), ask('b', 'second'), ask('a', 'third')])
  expect(load.mock.calls).toEqual([[['a', 'b'], 'first']])
  expect(new Set(answers).size).toBe(1)
})

it('loads again for who asks after a load began', async () => {
  const { load, ask } = world()
  const first = ask('a', 'first')
  await new Promise((resolve) => setImmediate(resolve))
  await Promise.all([first, ask('a', 'second')])
  expect(load).toHaveBeenCalledTimes(2)
})

it('asks for no more at once than it may', async () => {
  const { load, ask } = world(2)
  await Promise.all(['a', 'b', 'c'].map((id) => ask(id, id)))
  expect(load.mock.calls).toEqual([
    [['a', 'b'], 'a'],
    [['c'], 'c'],
  ])
})

it('fails all that asked, and none that come later', async () => {
  const { load, ask } = world()
  load.mockRejectedValueOnce(new Error('away'))
  const failed = await Promise.allSettled([ask('a', ''), ask('b', '')])
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await expect(ask('a', '')).resolves.toEqual(new Set(['a']))
})
