import { type Failure, toFailure } from '../../shared/errors.ts'
import { validHead } from '../../shared/hosts/http-app.ts'
import type { HttpRequest } from '../../shared/http/message.ts'
import { router } from '../../shared/http/routes.ts'
import type { DiscoveredFunction } from '../../shared/spec/discover.ts'

/** What the function of this slug refuses already by a request's head, if it does. */
export type Heads = (slug: string, head: Omit<HttpRequest, 'values' | 'body'>) => Failure | undefined

/** Says for functions, as their hosts do, what no body could make right: their processes see whole requests alone. */
export function headsOf(functions: readonly DiscoveredFunction[]): Heads {
  const routers = new Map(
    functions.flatMap(({ name, declaration: { trigger } }) =>
      trigger.kind === 'http' ? [[name.slug, router(trigger.operations)] as const] : [],
    ),
  )
  return (slug, head) => {
    const match = routers.get(slug)?.(head.method, head.path)
    if (!match?.route) return undefined
    try {
      validHead(match.route.operation, match.params, head)
      return undefined
    } catch (error) {
      return toFailure(error)
    }
  }
}
