import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { checkAtRest, settle } from './simulation/oracle.ts'
import { type Action, type Config, type Crash, World } from './simulation/world.ts'

const small = fc.nat({ max: 7 })
const side = fc.constantFrom('S' as const, 'C' as const)
const crash = fc.constantFrom<Crash>('none', 'none', 'none', 'at once', 'half way', 'before the ack')
const wanted = fc.array(small, { maxLength: 3 })

const clientAction = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('toggle' as const), side, who: small, other: small }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('put' as const), side, who: small, wanted }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('create' as const), side, wanted }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('read' as const), side, who: small }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('put what was read' as const),
      other: small,
      ifMatch: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), side, who: small }) },
)
const transportAction = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('relay' as const), side, which: small, crash }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('deliver' as const), which: small, crash }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delay' as const), which: small }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('redeliver' as const) }) },
  // Mostly the clock stands still, so that both sides write within one microsecond.
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tick' as const), ms: fc.nat({ max: 2 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'end dedupe window' as const }) },
)
const collect = fc.record({
  do: fc.constant('collect' as const),
  side,
  who: small,
  age: fc.integer({ min: -1, max: 2 }),
})

const config: fc.Arbitrary<Config> = fc.record({
  students: fc.integer({ min: 1, max: 3 }),
  courses: fc.integer({ min: 1, max: 3 }),
  limits: fc.record({ S: fc.integer({ min: 1, max: 3 }), C: fc.integer({ min: 1, max: 3 }) }),
  skew: fc.record({ S: fc.constantFrom(0, 0, 0, 1, -1, 3_600_000), C: fc.constantFrom(0, 0, 0, 1) }),
})

function play(setup: Config, actions: readonly Action[]): World {
  const world = new World(setup)
  for (const action of actions) world.act(action)
  return world
}

/** Comes to rest and is right; and a resync of everything finds nothing to change. */
function checkEnd(world: World, seed: number): void {
  settle(world, seed)
  // Only now: a resync before the outboxes are relayed and delivered would not know what they still bring about.
  if (world.lost) {
    world.resync()
    settle(world, seed)
  }
  checkAtRest(world)
  const before = presentEverywhere(world)
  world.resync()
  settle(world, seed + 1)
  checkAtRest(world)
  expect(presentEverywhere(world)).toEqual(before)
}

function presentEverywhere({ sides }: World) {
  return Object.values(sides).flatMap((one) => [...one.live.keys()].map((id) => [id, one.present(id)]))
}

// As many as fit: on a busy machine fewer runs, never a failure. A failing one prints its seed and path.
const runs = { numRuns: 8000, interruptAfterTimeLimit: 4000 }
vi.setConfig({ testTimeout: 180_000 })

test('any writes, order, duplicates, crashes and deletions: both sides end with the highest registers', () => {
  fc.assert(
    fc.property(
      config,
      fc.array(fc.oneof(clientAction, transportAction), { maxLength: 60, size: 'max' }),
      fc.nat(),
      (setup, actions, seed) => checkEnd(play(setup, actions), seed),
    ),
    runs,
  )
})

test('the same while tombstones are collected much too early', () => {
  fc.assert(
    fc.property(
      config,
      fc.array(
        fc.oneof(
          { weight: 4, arbitrary: clientAction },
          { weight: 5, arbitrary: transportAction },
          { weight: 1, arbitrary: collect },
        ),
        { maxLength: 60, size: 'max' },
      ),
      fc.nat(),
      (setup, actions, seed) => checkEnd(play(setup, actions), seed),
    ),
    runs,
  )
})

test('the same when messages end as dead letters or the stream loses its store, after a resync', () => {
  const action = fc.oneof(
    { weight: 8, arbitrary: clientAction },
    { weight: 8, arbitrary: transportAction },
    { weight: 1, arbitrary: collect },
    { weight: 1, arbitrary: fc.constant({ do: 'wipe the stream' as const }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('dead letter' as const), which: small }) },
  )
  fc.assert(
    fc.property(config, fc.array(action, { maxLength: 60, size: 'max' }), fc.nat(), (setup, actions, seed) =>
      checkEnd(play(setup, actions), seed),
    ),
    runs,
  )
})

test('one link, both sides writing at the same instant: the race that decides ties', () => {
  const onOneLink = fc.oneof(
    fc.record({ do: fc.constant('toggle' as const), side, who: fc.constant(0), other: fc.constant(0) }),
    fc.record({ do: fc.constant('relay' as const), side, which: small, crash }),
    fc.record({ do: fc.constant('deliver' as const), which: small, crash }),
    fc.record({ do: fc.constant('collect' as const), side, who: fc.constant(0), age: fc.constant(-1) }),
    // Without it both sides count up in step, and an add never meets a remove of its own ts.
    fc.constant({ do: 'tick' as const, ms: 1 }),
  )
  const setup = { students: 1, courses: 1, limits: { S: 1, C: 1 }, skew: { S: 0, C: 0 } }
  fc.assert(
    fc.property(fc.array(onOneLink, { maxLength: 40, size: 'max' }), fc.nat(), (actions, seed) =>
      checkEnd(play(setup, actions), seed),
    ),
    runs,
  )
})
