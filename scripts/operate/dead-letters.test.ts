import { join } from 'node:path'
import { create, toBinary } from '@bufbuild/protobuf'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { NatsClient } from '../../shared/adapters/nats-client.ts'
import { LinkChangedSchema } from '../../shared/generated/registrar/v1/enrolment_pb.ts'
import { Letters } from './testing/letters.ts'
import { command, System } from './testing/system.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 })

describe('dead letters', () => {
  let system: System
  let letters: Letters
  beforeAll(async () => {
    system = await System.start()
    letters = new Letters(system)
  })
  afterAll(() => system?.[Symbol.asyncDispose]())
  afterEach(() => letters.dropAll())

  it('garbage is shown as what it is, comes back when replayed, and is dropped', async () => {
    await letters.publish(Buffer.from('\u0007garbage that is no protobuf'))
    const half = create(LinkChangedSchema, { studentId: 'nobody', courseId: 'f'.repeat(24) })
    await letters.publish(toBinary(LinkChangedSchema, half))
    const [garbage, invalid] = await letters.untilBuried(2)
    const shown = await letters.command('show', String(garbage?.id))
    expect(shown.out).toMatch(/ {4}07 67 61 72 .* \.garbage that is\n/)
    expect(shown.out).toContain('broken protobuf')
    const other = await letters.command('show', String(invalid?.id))
    expect(other.out).toContain('"student_id": "nobody"')
    expect(other.out).toMatch(/student_id is "nobody" instead of a lower-case UUID\n +register is missing\n/)
    const listed = await letters.command('list')
    expect(listed.out).toMatch(/student.modified -> courses-enrol: 28 bytes that are no valid LinkChanged\n/)

    expect((await letters.command('replay', String(garbage?.id))).code).toBe(0)
    const [, again] = await letters.untilBuried(2)
    expect(again?.id).toBeGreaterThan(invalid?.id ?? 0)
    const dropped = await letters.command('drop', String(again?.id))
    expect([dropped.code, dropped.out]).toEqual([0, expect.stringContaining('dropped ')])
    for (const verb of ['drop', 'show', 'replay']) {
      const { code, err } = await letters.command(verb, String(again?.id))
      expect([code, err]).toEqual([1, `There is no dead letter ${again?.id}.\n`])
    }
    expect(await letters.list()).toMatchObject([{ id: invalid?.id }])
  })

  it('nothing of a letter commands the terminal', async () => {
    const clear = '\u009b2J'
    const half = create(LinkChangedSchema, { studentId: clear, courseId: `${clear}\nf` })
    const payload = toBinary(LinkChangedSchema, half)
    await letters.publish(payload)
    await letters.untilBuried(1)
    await using client = new NatsClient({ url: system.urls.EVENTS_URL, name: 'test' })
    await (await client.jetstream()).publish('dead_letter.x\u001b[2J', payload)
    const [first, second] = await letters.untilBuried(2)
    expect(second).toMatchObject({ consumer: 'x?[2J' })
    const said = [await letters.command('list'), await letters.command('list', '--json')]
    for (const one of [first, second]) said.push(await letters.command('show', String(one?.id)))
    for (const { out } of said) expect(out).not.toMatch(/(?!\n)\p{C}/u)
    expect(said[2]?.out).toMatch(/ student_id is "\?2J" instead of/)
    // For machines nothing is lost.
    expect(JSON.stringify(said[1]?.objects)).toContain(clear)
  })

  it('one that was too large to be kept whole is not sent', async () => {
    await letters.publish(Buffer.alloc(1024 * 1024 - 200, 7))
    const [large] = await letters.untilBuried(1)
    const refused = await letters.command('replay', String(large?.id))
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringMatching(/ of 1048376 bytes: it can only be dropped\.\n$/),
    ])
    expect((await letters.command('show', String(large?.id))).out).toMatch(
      /1048376 bytes, of which \d+ were kept\n/,
    )
    expect(await letters.list()).toMatchObject([{ id: large?.id, bytes: 1048376 }])
  })

  it('one that names no worker of ours is not sent, and does not keep the others', async () => {
    const { told } = await letters.pair()
    await letters.bury(Buffer.from('x'), '$JS.API.STREAM.PURGE.StudentModified')
    await letters.bury(told({ present: true, ts: 1, origin: 'S' }))
    const { code, out } = await letters.command('replay', '--all')
    expect(code).toBe(1)
    expect(out).toMatch(/names "\$JS.API.*can only be dropped\.\n\d+ was sent to student\.modified again\n$/)
    expect(await letters.list()).toMatchObject([{ subject: '$JS.API.STREAM.PURGE.StudentModified' }])
  })

  it('needs nothing but a NATS that is there', async () => {
    const { code, err } = await system.commandOn(
      { EVENTS_URL: 'nats://u:secret@127.0.0.1:9' },
      'dead-letters',
      'list',
    )
    expect([code, err]).toEqual([1, expect.stringMatching(/^NATS does not serve \(.*\)\.\n$/)])
    expect(err).not.toContain('secret')
    const { EVENTS_URL } = system.urls
    for (const args of [['list'], ['replay', '--all']]) {
      const alone = await system.commandOn({ EVENTS_URL, DATA_DIR: '/nowhere' }, 'dead-letters', ...args)
      expect([alone.code, alone.out, alone.err]).toEqual([0, '', 'There are no dead letters.\n'])
    }
    const lost = await system.commandOn({ DATA_DIR: '/nowhere' }, 'dead-letters', 'list')
    expect([lost.code, lost.err]).toEqual([
      1,
      expect.stringMatching(/^There are no servers to work with: .* set EVENTS_URL\.\n$/),
    ])
  })
})

describe('of dead letters', () => {
  const tree = join(import.meta.dirname, '../..')

  it.each([
    [[], /^Say what to do/],
    [['burn'], /^There is no "burn": only list, show, replay and drop\.\n/],
    [['show'], /^Say which: show takes the number/],
    [['drop', '-1'], /^.*-1/],
    [['replay', 'x'], /^Say which/],
    [['drop', '--all'], /^--all is for replay alone/],
    [['list', '3'], /^"3" is one word too many/],
    [['list', '--color'], /--color/],
  ])('%j is told what is wrong with it', async (args, sentence) => {
    const { code, out, err } = await command(tree, { DATA_DIR: '/nowhere' }, ['dead-letters', ...args])
    expect([code, out, err]).toEqual([1, '', expect.stringMatching(sentence)])
    expect(err).toContain('usage: npm run dead-letters')
  })

  it.each(
    ['dead-letters', 'reconcile', 'initialize'].flatMap((name) => [
      [name, '--help'],
      [name, '-h'],
    ]),
  )('%s tells its usage for %s', async (name = '', flag = '') => {
    const { code, out, err } = await command(tree, { DATA_DIR: '/nowhere' }, [name, flag])
    expect([code, out, err]).toEqual([0, expect.stringContaining(`usage: npm run ${name} -- `), ''])
  })
})
