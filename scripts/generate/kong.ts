import type { DiscoveredFunction } from '../../shared/spec/discover.ts'
import { readBase } from './kong/base.ts'
import { compose } from './kong/compose.ts'
import { declarative } from './kong/declarative.ts'
import { composeSecrets } from './kong/env.ts'
import { kic } from './kong/kic.ts'
import { routesOf } from './kong/routes.ts'

export { kicFolder } from './kong/kic.ts'

/** Everything in kong/ that derives from the declarations, by its path. */
export async function kong(
  root: string,
  functions: readonly DiscoveredFunction[],
): Promise<ReadonlyMap<string, string>> {
  const base = await readBase(root)
  const routes = routesOf(functions)
  return new Map([
    ['kong/kong.yml', declarative(base, routes)],
    ...kic(base, routes),
    await compose(root, functions),
    ...composeSecrets(functions),
  ])
}
