import { createHash, randomUUID } from 'node:crypto'
import { presentIds } from '../enrolment/links.ts'
import { deleteLinks, writeLinks } from '../enrolment/write-links.ts'
import { Failure, notFound } from '../errors.ts'
import type { Answer, Handler, HandlerContext, HandlerInput } from '../http/call.ts'
import { matches } from '../http/etag.ts'
import { mergePatch } from '../http/merge-patch.ts'
import { validBody } from '../http/validate.ts'
import type { FieldsSchema } from '../spec/define-function.ts'
import type { Aggregate, Change, Decide, Entity } from './aggregate.ts'
import type { Claim, Repository } from './ports.ts'
import { etagOf, type Resource } from './resource.ts'
import { staleAfter } from './stale.ts'

/** Creates one, once per Idempotency-Key. */
export function creating<F extends object, V extends object>(
  resource: Resource<F, V>,
  repository: Repository<F>,
): Handler {
  return async (input, context) => {
    const body = asRecord(input.body)
    const now = Date.now()
    const id = resource.newId()
    const wanted = linksOf(resource, body)
    const { changed, messages } = writeLinks({
      me: resource.side,
      ownId: id,
      links: new Map(),
      floor: 0,
      wanted,
      now,
    })
    const next: Aggregate<F> = {
      id,
      fields: fieldsOf(resource, body),
      links: changed,
      floor: 0,
      version: 1,
      createdAt: now,
      updatedAt: now,
    }
    const answer = answerOf(resource, next)
    const created = { ...answer, location: `${resource.path}/${id}` }
    const change = {
      next,
      changed,
      entry: {
        id: randomUUID(),
        kind: 'mutation' as const,
        subject: id,
        links: messages,
        stale: staleAfter([], next),
        traceparent: context.traceparent,
      },
    }
    const insertion = await repository.insert(change, claimOf(resource, input, created))
    if (insertion.created) return created
    const replayed: Answer = JSON.parse(insertion.answer)
    return { ...replayed, headers: { 'idempotency-replayed': 'true' } }
  }
}

/** Replaces all the fields and the links. */
export function replacing<F extends object, V extends object>(
  resource: Resource<F, V>,
  repository: Repository<F>,
): Handler {
  return (input, context) => modify(resource, repository, input, context, () => asRecord(input.body))
}

/** Merges a patch (RFC 7396); what comes out must be as valid as a whole body. */
export function patching<F extends object, V extends object>(
  resource: Resource<F, V>,
  repository: Repository<F>,
  whole: FieldsSchema,
): Handler {
  return (input, context) =>
    modify(resource, repository, input, context, (current) => {
      const body = { ...current.fields, [resource.linkField]: presentIds(current.links) }
      return asRecord(validBody(whole, mergePatch(body, input.body)))
    })
}

/** Deletes one, and tells the other ends of its links. */
export function deleting<F extends object, V extends object>(
  resource: Resource<F, V>,
  repository: Repository<F>,
): Handler {
  return async (input, context) => {
    const id = input.params['id'] ?? ''
    await repository.change(id, (found) => {
      const current = present(resource, found, input)
      const links = deleteLinks({ me: resource.side, ownId: id, links: current.links, now: Date.now() })
      const change: Change<F> = {
        next: undefined,
        changed: new Map(),
        entry: {
          id: randomUUID(),
          kind: 'mutation',
          subject: id,
          links,
          stale: staleAfter(presentIds(current.links), current),
          traceparent: context.traceparent,
        },
      }
      return { result: undefined, change }
    })
    return {}
  }
}

async function modify<F extends object, V extends object>(
  resource: Resource<F, V>,
  repository: Repository<F>,
  input: HandlerInput,
  context: HandlerContext,
  bodyFrom: (current: Aggregate<F>) => Readonly<Record<string, unknown>>,
): Promise<Answer> {
  const id = input.params['id'] ?? ''
  const decide: Decide<F, Answer> = (found) => {
    const current = present(resource, found, input)
    const body = bodyFrom(current)
    const fields = fieldsOf(resource, body)
    const now = Date.now()
    const { links, floor } = current
    const wanted = linksOf(resource, body)
    const { changed, messages } = writeLinks({ me: resource.side, ownId: id, links, floor, wanted, now })
    if (changed.size === 0 && same(resource, fields, current.fields))
      return { result: answerOf(resource, current), stale: staleAfter([], current) }
    const next: Aggregate<F> = {
      ...current,
      fields,
      links: new Map([...links, ...changed]),
      version: current.version + 1,
      // The clock may have been set back; a change never looks older than what it changed.
      updatedAt: Math.max(now, current.updatedAt),
    }
    const entry = {
      id: randomUUID(),
      kind: 'mutation' as const,
      subject: id,
      links: messages,
      stale: staleAfter(presentIds(links), next),
      traceparent: context.traceparent,
    }
    return { result: answerOf(resource, next), change: { next, changed, entry } }
  }
  return repository.change(id, decide)
}

function present<F extends object, V extends object>(
  resource: Resource<F, V>,
  found: Aggregate<F> | undefined,
  { ifMatch }: HandlerInput,
): Aggregate<F> {
  if (!found) throw notFound(`there is no such ${resource.noun}`)
  if (ifMatch !== undefined && !matches(ifMatch, etagOf(found), false)) {
    throw new Failure('precondition_failed', {
      detail: `the ${resource.noun} is not the one of If-Match any more`,
    })
  }
  return found
}

function answerOf<F extends object, V extends object>(
  resource: Resource<F, V>,
  aggregate: Aggregate<F>,
): Answer {
  const entity: Entity<F> = { ...aggregate, members: presentIds(aggregate.links) }
  return { body: { data: resource.view(entity) }, etag: etagOf(entity) }
}

function claimOf<F extends object, V extends object>(
  resource: Resource<F, V>,
  { idempotencyKey, consumer, body }: HandlerInput,
  answer: Answer,
): Claim | undefined {
  if (idempotencyKey === undefined) return undefined
  const hash = (parts: unknown): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex')
  return {
    key: hash([consumer, 'POST', resource.path, idempotencyKey]),
    payload: hash(body),
    answer: JSON.stringify(answer),
  }
}

function fieldsOf<F extends object, V extends object>(
  { fields }: Resource<F, V>,
  body: Readonly<Record<string, unknown>>,
): F {
  // The body's schema has just these fields, as the resource's declaration says.
  return Object.fromEntries(fields.map((field) => [field, body[field]])) as F
}

/** Byte by byte, as they would be shown: the order of keys in an object is its sender's. */
function same<F extends object, V extends object>({ fields }: Resource<F, V>, one: F, other: F): boolean {
  return fields.every(
    (field) => JSON.stringify(Reflect.get(one, field)) === JSON.stringify(Reflect.get(other, field)),
  )
}

function linksOf<F extends object, V extends object>(
  { linkField }: Resource<F, V>,
  body: Readonly<Record<string, unknown>>,
): readonly string[] {
  const ids = body[linkField]
  return Array.isArray(ids) ? ids : []
}

const asRecord = (value: unknown): Readonly<Record<string, unknown>> =>
  value as Readonly<Record<string, unknown>>
