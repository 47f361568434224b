import { enrolmentStates } from '../enrolment/state.ts'
import { notFound } from '../errors.ts'
import type { Handler } from '../http/call.ts'
import type { Entity } from './aggregate.ts'
import { cursorScope, decodeCursor, encodeCursor } from './cursor.ts'
import type { Lookup, PageQuery, Repository } from './ports.ts'
import { etagOf, type Resource } from './resource.ts'

/** What the list query's schema makes of the query: `limit`, `cursor` and `sort`, the rest are filters. */
export interface ListInput {
  readonly limit: number
  readonly cursor?: string
  readonly sort: string
}

/** One by its id. */
export function getting<F extends object, V extends object>(
  resource: Resource<F, V>,
  repository: Repository<F>,
): Handler {
  return async ({ params }) => {
    const entity = await repository.get(params['id'] ?? '')
    if (!entity) throw notFound(`there is no such ${resource.noun}`)
    return { body: { data: resource.view(entity) }, etag: etagOf(entity) }
  }
}

/** A page, with the cursor of the next one in the body and in Link (RFC 8288). */
export function listing<F extends object, V extends object>(
  resource: Resource<F, V>,
  repository: Repository<F>,
): Handler<ListInput & Readonly<Record<string, string | number>>> {
  return async ({ query: { limit, cursor, sort, ...filter } }) => {
    const descending = sort.startsWith('-')
    const order = {
      sort: descending ? sort.slice(1) : sort,
      descending,
      filter: Object.fromEntries(Object.entries(filter).map(([field, value]) => [field, String(value)])),
    }
    const scope = cursorScope(resource.service, order)
    const after =
      cursor === undefined
        ? {}
        : {
            after: decodeCursor(scope, cursor, {
              value: order.sort === 'created_at' ? 'time' : 'text',
              id: resource.id,
            }),
          }
    const { items, more } = await repository.list({ limit, ...order, ...after })
    const last = items.at(-1)
    const next = more && last ? encodeCursor(scope, { value: sortValue(last, order), id: last.id }) : null
    const body = { data: items.map(resource.view), next_cursor: next }
    if (next === null) return { body }
    const link = new URLSearchParams({ ...order.filter, limit: String(limit), sort, cursor: next })
    return { body, headers: { link: `<${resource.path}?${link}>; rel="next"` } }
  }
}

function sortValue<F extends object>(
  { fields, createdAt }: Entity<F>,
  { sort }: Pick<PageQuery, 'sort'>,
): string | number {
  return sort === 'created_at'
    ? createdAt
    : String(Object.entries(fields).find(([field]) => field === sort)?.[1])
}

/** The other side's entities that name this one, asked of the service that owns them. */
export function relating<F extends object, V extends object, M>(
  resource: Resource<F, V>,
  repository: Repository<F>,
  lookup: Lookup<M>,
): Handler {
  return async ({ params }, context) => {
    const id = params['id'] ?? ''
    const [own, looked] = await both(repository.links(id), lookup.membersOf(id, context))
    if (!own) throw notFound(`there is no such ${resource.noun}`)
    const { members, cacheStatus } = await looked()
    return {
      body: { data: members },
      ...(cacheStatus === undefined ? {} : { headers: { 'cache-status': cacheStatus } }),
    }
  }
}

/** Every enrolment of one, with what became of it: derived from the own registers and the other side's members. */
export function enrolling<F extends object, V extends object>(
  resource: Resource<F, V>,
  repository: Repository<F>,
  lookup: Lookup<{ readonly id: string }>,
): Handler {
  return async ({ params }, context) => {
    const id = params['id'] ?? ''
    const [own, looked] = await both(repository.links(id), lookup.membersOf(id, context))
    if (!own) throw notFound(`there is no such ${resource.noun}`)
    const { members, cacheStatus } = await looked()
    const states = enrolmentStates(own, new Set(members.map((member) => member.id)))
    const data = states.map(({ id: other, ...state }) => ({ [resource.otherField]: other, ...state }))
    return {
      body: { data },
      ...(cacheStatus === undefined ? {} : { headers: { 'cache-status': cacheStatus } }),
    }
  }
}

/** Asks both at once; the second may fail without harm as long as nobody looks at its answer. */
async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, () => Promise<B>]> {
  second.catch(() => {})
  return [await first, () => second]
}

/** Whether the own database answers. */
export function reporting<F>(repository: Repository<F>): Handler {
  return async () => {
    await repository.ping()
    return { body: { status: 'ok' } }
  }
}

/** The members of each of the other side's ids, as clients see them. */
export function lookingUp<F extends object, V extends object>(
  resource: Resource<F, V>,
  repository: Repository<F>,
) {
  return async (ids: readonly string[]): Promise<ReadonlyMap<string, readonly V[]>> => {
    const found = await repository.membersOf(ids)
    return new Map([...found].map(([id, members]) => [id, members.map(resource.view)]))
  }
}
