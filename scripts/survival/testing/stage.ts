import { expect, vi } from 'vitest'
import type { streams } from '../../../shared/messages/streams.ts'
import {
  aCourse,
  aStudent,
  enrolmentWorld,
  type World,
  type WorldOptions,
} from '../../../shared/testing/enrolment-world.ts'
import { Functions } from './functions.ts'

/** Both sides in this process, and functions in processes of their own, over the same engines. */
export interface Stage extends AsyncDisposable {
  readonly world: World
  readonly functions: Functions
}

export async function openStage(options: WorldOptions): Promise<Stage> {
  await using opening = new AsyncDisposableStack()
  const world = opening.use(await enrolmentWorld(options))
  const functions = opening.use(new Functions(world.variables))
  const stack = opening.move()
  return { world, functions, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

export type StreamName = keyof typeof streams

/** How many messages a stream was ever given. */
export async function given({ broker }: World, stream: StreamName | 'DeadLetter'): Promise<number> {
  const manager = await (await broker.jetstream()).jetstreamManager()
  return (await manager.streams.info(stream)).state.last_seq
}

/** How many messages a worker has and did not settle. */
export async function unsettled({ broker }: World, stream: StreamName, consumer: string): Promise<number> {
  const manager = await (await broker.jetstream()).jetstreamManager()
  return (await manager.consumers.info(stream, consumer)).num_ack_pending
}

export interface Strangers {
  readonly student: string
  readonly course: string
}

/** A student and a course that know nothing of each other. */
export async function strangers({ students, courses }: World): Promise<Strangers> {
  return { student: (await students.create(aStudent())).id, course: (await courses.create(aCourse())).id }
}

/** Q1 of one link: both sides have one register of it, which says this. */
export async function expectLink(
  { students, courses }: World,
  student: string,
  course: string,
  says: object,
): Promise<void> {
  const ofStudent = (await students.repository.links(student))?.get(course)
  const ofCourse = (await courses.repository.links(course))?.get(student)
  expect(ofStudent).toMatchObject(says)
  expect(ofCourse).toEqual(ofStudent)
}

/** Sweeps until nothing is left: an entry is its writer's for five seconds, and a dead sweeper's lease lasts ten. */
export async function sweep({ students, courses, unsent }: World): Promise<void> {
  const swept = async (): Promise<void> => {
    await Promise.all([students.relay.sweep(), courses.relay.sweep()])
    expect(await unsent()).toBe(0)
  }
  await vi.waitFor(swept, { timeout: 120_000, interval: 500 })
}
