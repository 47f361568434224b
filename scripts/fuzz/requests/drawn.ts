import type { Operation } from '../openapi.ts'
import type { Shot } from '../shot.ts'

/** One request as it was drawn: what it is about is only known when it is sent. */
export interface Drawn {
  readonly family: Shot['family']
  readonly operation: Operation
  readonly method: string
  /** Instead of the operation's own path and query. */
  readonly target?: string
  /** Path parameters; most of them give way to what is known. */
  readonly params: Readonly<Record<string, string>>
  /** Which of the known things it is about; undefined for none. */
  readonly which: number | undefined
  readonly query: readonly (readonly [name: string, value: string])[]
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body?:
    | { readonly type: string; readonly value: unknown }
    | { readonly type: string; readonly bytes: string }
  readonly key: 'right' | 'missing' | 'wrong' | 'in the query' | 'in the body'
  readonly chunked: boolean
}
