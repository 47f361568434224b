import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { Config, ConfigurationError } from '../config.ts'
import { Environment, type Wires, wireAll } from '../wiring/environment.ts'
import { backingOf } from './backing.ts'
import { discoverFunctions } from './discover.ts'
import { functionName } from './names.ts'
import { needsOf } from './needs.ts'

const root = join(import.meta.dirname, '../..')
const functions = await discoverFunctions(root)

/** Has none of the variables, and remembers which were asked for. */
class Asked extends Config {
  readonly variables = new Set<string>()

  constructor() {
    super({})
  }

  override serviceUrl<S extends string>(variable: string): { scheme: S; url: string } {
    this.variables.add(variable)
    throw new ConfigurationError([`${variable} is not set`])
  }
}

it.each(functions)('$name.full is given what its wiring asks for', async ({ name, declaration }) => {
  const wiring: Wires = await import(
    pathToFileURL(join(root, 'functions', name.service, 'wiring.ts')).href
  ).catch(() => ({}))
  const needs = needsOf(declaration)
  const config = new Asked()
  await using environment = new Environment(name.full, config)
  const wires = Object.fromEntries(needs.map((need) => [need, wiring[need] ?? (() => Promise.reject())]))
  await wireAll(environment, wires).catch(() => {})
  const expected = backingOf(name, declaration)
  const ofWorker = declaration.trigger.kind === 'stream' ? ['EVENTS_URL'] : []
  // One wire of several that fail is awaited, the others ask a moment later.
  await expect.poll(() => [...new Set([...config.variables, ...ofWorker])].sort()).toEqual(expected)
})

it('a need that nothing is known of is refused', () => {
  const declaration = { summary: '', trigger: { kind: 'job' }, needs: ['telescope'] } as const
  expect(() => backingOf(functionName('students/look'), declaration)).toThrow(
    'students/look needs telescope: shared/spec/backing.ts does not say what that reaches',
  )
})
