import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { processStat } from './process-table.ts'
import { kill, nothingLeft, processesOf, Started, Tree, until } from './testing/fixture.ts'

vi.setConfig({ testTimeout: 240_000 })

describe('nothing survives', () => {
  test('SIGKILL of the runner, and the next start works at once', async () => {
    using tree = new Tree()
    for (let round = 0; round < 3; round++) {
      const run = await new Started(tree).ready()
      await run.fetch('/api/students/1')
      await run.stop('SIGKILL')
    }
    const last = await new Started(tree).ready()
    await last.fetch('/api/students/1')
    await last.stop('SIGKILL')
    await nothingLeft(tree)
  })

  test('SIGKILL of the runner at any moment of its start', async () => {
    using tree = new Tree()
    for (const ms of [150, 350, 500, 650, 800, 1000, 1300, 1600]) {
      const run = new Started(tree)
      await sleep(ms)
      await run.stop('SIGKILL')
      await nothingLeft(tree)
    }
    await using run = await new Started(tree).ready()
    expect((await run.fetch('/api/students/1')).status).toBe(200)
  })

  test('SIGKILL of the npm above, which drains', async () => {
    using tree = new Tree()
    const run = await new Started(tree, { npm: true }).ready()
    const gate = tree.hold('request')
    const slow = run.fetch('/api/students/1', { headers: { 'x-hold': 'request' } })
    await until('it is there', () => tree.events('request GET').length === 1)
    process.kill(run.child.pid ?? 0, 'SIGKILL')
    await until('it stops', () => run.stdout.includes('stopping'))
    gate.letGo()
    expect((await slow).status).toBe(200)
    await nothingLeft(tree)
  })

  test('SIGKILL of npm alone, and a start right after it waits until all has ended, and works', async () => {
    using tree = new Tree()
    const run = await new Started(tree, { npm: true }).ready()
    const gate = tree.hold('request')
    const slow = run.fetch('/api/students/1', { headers: { 'x-hold': 'request' } })
    await until('it is there', () => tree.events('request GET').length === 1)
    process.kill(run.child.pid ?? 0, 'SIGKILL')
    await using next = new Started(tree, { npm: true })
    await sleep(1500)
    gate.letGo()
    expect((await slow).status).toBe(200)
    await next.ready()
    expect((await next.fetch('/api/students/1')).status).toBe(200)
  })

  test('SIGKILL of npm and all of its group', async () => {
    using tree = new Tree()
    const run = await new Started(tree, { npm: true }).ready()
    await run.fetch('/api/students/1')
    process.kill(-(run.child.pid ?? 0), 'SIGKILL')
    await nothingLeft(tree)
  })

  test('SIGKILL of its owner, which drains', async () => {
    using tree = new Tree()
    const owner = spawn('sleep', ['600'], { stdio: 'ignore' })
    const run = await new Started(tree, { env: { OWNER_PIDS: `${process.pid},${owner.pid}` } }).ready()
    const gate = tree.hold('request')
    const slow = run.fetch('/api/students/1', { headers: { 'x-hold': 'request' } })
    await until('it is there', () => tree.events('request GET').length === 1)
    owner.kill('SIGKILL')
    await until('it stops', () => run.stdout.includes('stopping (its owner has ended)'))
    gate.letGo()
    expect((await slow).status).toBe(200)
    expect(await run.exited).toBe(0)
    await nothingLeft(tree)
  })

  test.each([
    ['all of the group, as a terminal sends it', -1],
    ['npm alone', 1],
  ])('SIGINT to %s', async (_, sign) => {
    using tree = new Tree()
    const run = await new Started(tree, { npm: true }).ready()
    const gate = tree.hold('request')
    const slow = run.fetch('/api/students/1', { headers: { 'x-hold': 'request' } })
    await until('it is there', () => tree.events('request GET').length === 1)
    process.kill(sign * (run.child.pid ?? 0), 'SIGINT')
    await until('it stops', () => run.stdout.includes('stopping'))
    gate.letGo()
    expect((await slow).status).toBe(200)
    await run.exited
    await nothingLeft(tree)
  })

  test('SIGKILL of the guardian, and then of the runner', async () => {
    using tree = new Tree()
    const run = await new Started(tree).ready()
    const guardians = (): number[] =>
      processesOf('guardian.sh').filter((pid) => processStat(pid)?.parent === run.runner)
    const [first] = guardians()
    kill(first)
    await until('there is another', () => guardians().length === 1 && guardians()[0] !== first)
    await run.stop('SIGKILL')
    await nothingLeft(tree)
  })
})
