import { expect, test } from 'vitest'
import { functionName } from '../../shared/spec/names.ts'
import { FunctionProcess, type Surroundings } from './function-process.ts'

/** A function that is this script, and the fields of the event that told of its end. */
function started(script: string): { own: FunctionProcess; died: () => unknown } {
  let died: unknown
  const around = {
    root: '/',
    launcher: { launch: () => ({ command: process.execPath, args: ['-e', script] }) },
    guardian: { watch: () => {} },
    output: {
      follow: () => {},
      event: (_: string, event: string, fields: unknown) => {
        if (event === 'died') died = fields
      },
    },
    archive: { keep: () => {} },
    env: () => ({}),
    onCrash: () => {},
  } as unknown as Surroundings
  return { own: new FunctionProcess(functionName('students/get'), around), died: () => died }
}

test('metrics that nobody asked for are its last: nothing of it is lost', async () => {
  const { own, died } = started(`
    process.send({ type: 'ready', port: 1 })
    process.send({ type: 'metrics', metrics: [] }, () => process.exit(1))
  `)
  await own.exited
  expect(died()).toEqual({ function: 'students/get', pid: own.pid, code: 1 })
})

test('an answer that comes when nobody waits for it any more is not its last word', async () => {
  // Answers the first question with the second, and then says so.
  const { own, died } = started(`
    let asked = 0
    process.on('message', () => {
      if (++asked < 2) return
      process.send({ type: 'metrics', metrics: [] })
      process.send({ type: 'metrics', metrics: [] })
      process.send({ type: 'ready', port: 1 })
    })
  `)
  expect(await own.scrape(1)).toBeUndefined()
  expect(await own.scrape(60_000)).toEqual([])
  await own.ready
  process.kill(own.pid, 'SIGKILL')
  await own.exited
  expect(died()).toEqual({ function: 'students/get', pid: own.pid, signal: 'SIGKILL', metrics: 'lost' })
})
