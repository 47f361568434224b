import type { FunctionDeclaration } from '../spec/define-function.ts'
import { functionName } from '../spec/names.ts'
import { needsOf } from '../spec/needs.ts'
import type { Assembly } from './host.ts'
import { serve } from './serve.ts'

/** Assembles a function from its folder, as the bundles do when they are built: for the sources, run directly. */
export async function assemble(full: string): Promise<Assembly> {
  const { service } = functionName(full)
  const base = new URL('../../functions/', import.meta.url)
  const [{ default: declaration }, { default: handler }, wiring]: [
    { default: FunctionDeclaration },
    { default: Assembly['handler'] },
    Assembly['wires'],
  ] = await Promise.all([
    import(new URL(`${full}/function.ts`, base).href),
    import(new URL(`${full}/handler.ts`, base).href),
    import(new URL(`${service}/wiring.ts`, base).href),
  ])
  const wires = Object.fromEntries(
    needsOf(declaration).map((need) => {
      const wire = wiring[need]
      if (!wire)
        throw new Error(`${full} needs "${need}", which functions/${service}/wiring.ts does not export`)
      return [need, wire]
    }),
  )
  return { name: full, declaration, handler, wires }
}

if (import.meta.main) {
  const name = process.argv[2]
  if (!name) throw new Error('usage: node shared/hosts/main.ts <service>/<function>')
  process.title = name
  await serve(await assemble(name))
}
