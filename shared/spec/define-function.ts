import type { GenericSchema } from 'valibot'

/** The fields of a body or the parameters of a query: every other key is a violation of its own. */
export type FieldsSchema = GenericSchema & { readonly entries: Readonly<Record<string, unknown>> }

/** What a deployment may do with a function; every target derives its own settings from it. */
export interface Scaling {
  /** Instances that are there at rest; 0 is scaling to zero. */
  readonly min: number
  /** Most instances at a time. */
  readonly max: number
  /** Requests, or messages in flight, that one instance takes at a time. */
  readonly concurrency: number
  /** Longest a single invocation may take, in seconds. */
  readonly timeout: number
  /** Seconds over which load is averaged, and after which what is idle goes. */
  readonly window: number
  /** What an instance gets: MiB at most, and thousandths of a core at least. */
  readonly memory: number
  readonly cpu: number
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** One operation of an HTTP function: a method on a path, and all that a caller may send and will get. */
export interface Operation {
  readonly method: Method
  /** Full public path; parameters in braces: `/api/students/{id}`. */
  readonly path: `/api/${string}`
  readonly summary: string
  /** Schemas of path parameters by name: what does not match is not found. */
  readonly params?: Readonly<Record<string, GenericSchema<string, string>>>
  /** Schema over the query parameters; without it any parameter is refused. */
  readonly query?: FieldsSchema
  /** Schema of the JSON body. */
  readonly body?: FieldsSchema
  /** Media types that the body may have; `application/json` when not given. */
  readonly accepts?: readonly string[]
  readonly success: Success
  /** Statuses, beyond those that every operation may answer, that this one may. */
  readonly failures?: readonly number[]
  /** The answer is cached under this namespace, and writers invalidate it by the same name. */
  readonly cache?: 'id' | 'list'
  /** Takes an Idempotency-Key. */
  readonly idempotent?: true
  /** Takes If-Match. */
  readonly conditional?: true
  /** Served without a key. */
  readonly public?: true
}

export interface Success {
  readonly status: 200 | 201 | 204
  readonly description: string
  readonly body?: GenericSchema
  readonly headers?: readonly ('ETag' | 'Location' | 'Link')[]
  /** Media type of the answer; `application/json` when not given. */
  readonly type?: string
  readonly example?: unknown
}

export interface HttpTrigger {
  readonly kind: 'http'
  readonly operations: Readonly<Record<string, Operation>>
}

/** A unary call of a service in proto/, answered for many ids at once. */
export interface GrpcTrigger {
  readonly kind: 'grpc'
  /** Fully qualified service name, as in proto/. */
  readonly service: string
  readonly method: string
}

/** Messages of one stream, pulled by a durable consumer that carries the function's name. */
export interface StreamTrigger {
  readonly kind: 'stream'
  readonly stream: string
  readonly subject: string
}

/** Run once, to its end, by whoever deploys. */
export interface JobTrigger {
  readonly kind: 'job'
}

/** Run to its end at each tick of a five-field cron schedule. */
export interface CronTrigger {
  readonly kind: 'cron'
  readonly schedule: string
}

export type Trigger = HttpTrigger | GrpcTrigger | StreamTrigger | JobTrigger | CronTrigger

/** One function, declared: data only, so that importing it does nothing. Its name is its folder. */
export interface FunctionDeclaration<T extends Trigger = Trigger, N extends string = string> {
  readonly summary: string
  readonly trigger: T
  /** Names of the dependencies, as exported by the service's wiring.ts, that the handler is given. */
  readonly needs: readonly N[]
  readonly scaling?: Partial<Scaling>
}

const defaults: Scaling = {
  min: 0,
  max: 10,
  concurrency: 100,
  timeout: 30,
  window: 60,
  memory: 192,
  cpu: 100,
}

export function defineFunction<const T extends Trigger, const N extends string>(
  declaration: FunctionDeclaration<T, N>,
): FunctionDeclaration<T, N> {
  return declaration
}

export function scalingOf(declaration: FunctionDeclaration): Scaling {
  return { ...defaults, ...declaration.scaling }
}
