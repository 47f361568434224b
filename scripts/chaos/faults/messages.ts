import { streams, toldTo } from '../../../shared/messages/streams.ts'
import { roleOf, signal } from '../processes.ts'
import { killerMark, poison } from './poison-mark.ts'
import { type Fault, recorded, wait } from './stage.ts'

const again =
  (when: 'last' | 'any'): Fault =>
  async (stage, random, kind) => {
    const messages = stage.messages.remembered(when, random.between(1, 30), random)
    await recorded(stage, kind, 'streams', async () => {
      for (const message of random.shuffled(messages)) await stage.messages.publish(message)
      return { messages: messages.length }
    })
  }

export const duplicate = again('last')
export const late = again('any')

/** Workers stand still until some messages have come together; these are taken out and come back in any order. */
export const reorder: Fault = async (stage, random, kind) => {
  const stream = random.pick(Object.keys(streams)) ?? ''
  await recorded(stage, kind, stream, async () => {
    const workers = stage.system.functions.filter(({ name }) => roleOf(name) === 'worker')
    for (const { pid } of workers) signal(pid, 'SIGSTOP')
    await wait(stage, random.between(300, 1500))
    const taken = await stage.messages.takeOut(stream, 60).catch(() => [])
    for (const { pid } of workers) signal(pid, 'SIGCONT')
    const back = random.shuffled(taken)
    const now = Math.ceil(back.length / 2)
    for (const message of back.slice(0, now)) await stage.messages.giveBack(message)
    await wait(stage, random.between(0, 8000))
    for (const message of back.slice(now)) await stage.messages.giveBack(message)
    return { messages: taken.length }
  })
}

const subjects = [...Object.values(streams).flatMap(({ subjects: own }) => own)]
let marks = 0

export const poisonBytes: Fault = async (stage, random, kind) => {
  const chosen = Array.from({ length: random.between(1, 4) }, () => ({
    mark: `bytes-${++marks}`,
    subject: random.pick(subjects) ?? '',
  }))
  await recorded(stage, kind, 'streams', async () => {
    for (const { mark, subject } of chosen)
      await stage.messages.publish({ subject, data: poison(mark), traceparent: '' })
    return { marks: chosen.map(({ mark }) => mark) }
  })
}

/** Twenty deliveries, every second one the death of a worker: it takes a minute or two. */
export const poisonKiller: Fault = async (stage, random, kind) => {
  const subject = random.pick(Object.values(toldTo)) ?? ''
  const mark = `killer-${++marks}`
  await recorded(stage, kind, subject, async () => {
    const data = Buffer.concat([poison(mark), Buffer.from(killerMark)])
    await stage.messages.publish({ subject, data, traceparent: '' })
    return { marks: [mark] }
  })
}
