import { afterAll, beforeAll, describe } from 'vitest'
import { changeTests } from './repository-contract/changes.ts'
import { claimTests } from './repository-contract/claims.ts'
import { exactnessTests } from './repository-contract/exactness.ts'
import { linkTests } from './repository-contract/links.ts'
import { listTests } from './repository-contract/lists.ts'
import { outageTests } from './repository-contract/outages.ts'
import { outboxTests } from './repository-contract/outbox.ts'
import type { Store, Subject } from './repository-contract/subject.ts'
import { tombstoneTests } from './repository-contract/tombstones.ts'
import { uniqueTests } from './repository-contract/unique.ts'
import { World } from './repository-contract/world.ts'

export type { FrailStore, Store, Subject } from './repository-contract/subject.ts'

/**
 * What `Repository`, `Tombstones` and `Outbox` promise, asked of an adapter over a real server. Two stores with connections of their
 * own stand for two processes.
 */
export function repositoryContract<F extends object>(name: string, subject: Subject<F>): void {
  describe(name, () => {
    const stores: Store<F>[] = []
    beforeAll(async () => {
      stores.push(await subject.open(), await subject.open())
    })
    afterAll(async () => {
      for (const store of stores) await store[Symbol.asyncDispose]()
    })
    const world = new World(subject, stores)
    describe('changes', () => changeTests(world))
    describe('links', () => linkTests(world))
    describe('outbox', () => outboxTests(world))
    describe('tombstones', () => tombstoneTests(world))
    describe('pages', () => listTests(world))
    describe('claims', () => claimTests(world))
    if (subject.unique) describe('unique fields', () => uniqueTests(world))
    if (subject.free) describe('free fields', () => exactnessTests(world))
    describe.skipIf(!subject.frail)('outages', () => outageTests(world))
  })
}
