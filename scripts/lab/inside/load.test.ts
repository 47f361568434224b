import { expect, it } from 'vitest'
import { Load } from './load.ts'

/** Answers each client in turn with these, and with the last of them from then on. */
async function loaded(...answers: readonly string[]) {
  let at = 0
  let enough = (): void => {}
  const asked = new Promise<void>((resolve) => {
    enough = resolve
  })
  const load = new Load(
    async () => {
      const said = answers[Math.min(at++, answers.length - 1)] ?? ''
      if (at > answers.length) enough()
      if (said === 'gone') throw new Error('reset', { cause: new Error('by peer') })
      return { status: Number.parseInt(said, 10), said }
    },
    1,
    1,
  )
  await asked
  const { lost, asked: count } = await load.stop()
  expect(count).toBeGreaterThan(answers.length)
  return Object.fromEntries(lost)
}

it('loses nothing where every answer is as the first', async () => {
  expect(await loaded('404 "no such student"')).toEqual({})
})

it('loses what is answered otherwise, and what is not answered', async () => {
  const answers = ['404 "no such student"', '404 "no such path"', 'gone', '404 "no such student"']
  expect(await loaded(...answers)).toEqual({
    '404 "no such path"': 1,
    'no answer: Error: reset; Error: by peer': 1,
  })
})

it('does not take a mistake of the server for what it expects', async () => {
  expect(await loaded('503 "unavailable"', '503 "unavailable"')).toHaveProperty('503 "unavailable"', 1)
})
