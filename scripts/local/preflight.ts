import { createServer } from 'node:http'
import { join } from 'node:path'
import { type DiscoveredFunction, discoverFunctions } from '../../shared/spec/discover.ts'
import type { Configuration, UrlName } from './configuration.ts'
import { scheduleProblems } from './cron.ts'
import { checkPort } from './listen.ts'
import { checkUrl } from './reach.ts'
import { Refusal } from './refusal.ts'
import { type GatewayRoutes, readRoutes } from './routes.ts'

export interface Plan {
  readonly functions: readonly DiscoveredFunction[]
  readonly routes: GatewayRoutes
}

/** All that can be known before anything is started; every problem is told at once. */
export async function preflight(configuration: Configuration): Promise<Plan> {
  const { root, port, urls } = configuration
  const given = Object.entries(urls) as [UrlName, string][]
  const [functions, routes, ...rest] = await Promise.allSettled([
    discoverFunctions(root),
    readRoutes(join(root, 'kong/kong.yml')),
    checkPort(port, () => createServer()),
    ...given.map(([name, url]) => checkUrl(name, url)),
  ])
  const problems: string[] = []
  for (const result of [functions, routes, ...rest]) {
    if (result.status === 'fulfilled') continue
    if (!(result.reason instanceof Refusal)) throw result.reason
    problems.push(...result.reason.problems)
  }
  if (functions.status === 'fulfilled') problems.push(...scheduleProblems(functions.value))
  if (functions.status === 'rejected' || routes.status === 'rejected' || problems.length > 0)
    throw new Refusal(...problems)
  const known = new Set(functions.value.map(({ name }) => name.slug))
  const strange = routes.value.paths
    .flatMap(({ methods }) => [...methods.values()])
    .find((slug) => !known.has(slug))
  if (strange)
    throw new Refusal(`kong/kong.yml names a function that does not exist, ${strange}: run npm run generate.`)
  return { functions: functions.value, routes: routes.value }
}
