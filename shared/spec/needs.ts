import type { FunctionDeclaration } from './define-function.ts'

/** The exports of wiring.ts that a function's process must make: the handler's, and the cache where answers are cached. */
export function needsOf({ needs, trigger }: FunctionDeclaration): string[] {
  const cached =
    trigger.kind === 'grpc' ||
    (trigger.kind === 'http' && Object.values(trigger.operations).some((operation) => operation.cache))
  return [...new Set([...needs, ...(cached ? ['cache'] : [])])]
}
