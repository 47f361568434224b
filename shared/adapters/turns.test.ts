import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { notFound, unavailable } from '../errors.ts'
import { contended, Turns } from './turns.ts'

it('lets one after another, in the order of their coming, and different keys at once', async () => {
  const turns = new Turns()
  const log: string[] = []
  const work = (key: string, name: string) =>
    turns.take(key, async () => {
      log.push(`${name} begins`)
      await sleep(10)
      log.push(`${name} ends`)
      return name
    })
  expect(await Promise.all([work('a', '1'), work('a', '2'), work('b', '3')])).toEqual(['1', '2', '3'])
  expect(log).toHaveLength(6)
  expect(log.indexOf('2 begins')).toBeGreaterThan(log.indexOf('1 ends'))
  expect(log.indexOf('3 begins')).toBeLessThan(log.indexOf('1 ends'))
})

it.each([
  ['a refusal', notFound('no')],
  ['a bug', new Error('oops')],
  ['contention', contended('others')],
])('goes on after %s', async (_, error) => {
  const turns = new Turns()
  const first = turns.take('a', () => Promise.reject(error))
  const second = turns.take('a', async () => 'done')
  await expect(first).rejects.toBe(error)
  expect(await second).toBe('done')
})

it('gives up for all that wait when the database does not answer, and begins anew', async () => {
  const turns = new Turns()
  const error = unavailable('the database', new Error('gone'))
  const first = turns.take('a', async () => {
    await sleep(10)
    throw error
  })
  const waiting = [turns.take('a', async () => 'never'), turns.take('a', async () => 'never')]
  await expect(first).rejects.toBe(error)
  for (const one of waiting) await expect(one).rejects.toBe(error)
  expect(await turns.take('a', async () => 'again')).toBe('again')
})
