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

/** What a process complains of that has no environment. */
async function missing(name: string, wires: Wires): Promise<readonly string[]> {
  await using environment = new Environment(name, new Config({}))
  try {
    await wireAll(environment, wires)
    return []
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return error.problems.map((problem) => problem.split(' ')[0] ?? '')
  }
}

it.each(functions)(
  '$name.full is given what its wiring asks for, which names all of it at once',
  async ({ name, declaration }) => {
    const needs = needsOf(declaration)
    const wiring: Wires =
      needs.length === 0
        ? {}
        : await import(pathToFileURL(join(root, 'functions', name.service, 'wiring.ts')).href)
    const wires = Object.fromEntries(needs.flatMap((need) => (wiring[need] ? [[need, wiring[need]]] : [])))
    expect(Object.keys(wires)).toEqual(needs)
    const ofWorker = declaration.trigger.kind === 'stream' ? ['EVENTS_URL'] : []
    const asked = [...(await missing(name.full, wires)), ...ofWorker]
    expect([...new Set(asked)].sort()).toEqual(backingOf(name, declaration))
  },
)

it('a need that nothing is known of is refused', () => {
  const declaration = { summary: '', trigger: { kind: 'job' }, needs: ['telescope'] } as const
  expect(() => backingOf(functionName('students/look'), declaration)).toThrow(
    'students/look needs telescope: shared/spec/backing.ts does not say what that reaches',
  )
})
