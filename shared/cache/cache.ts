/**
 * Values under namespaces, each namespace with a generation: a random token. A value is fresh while its generation is
 * the namespace's, so invalidating is forgetting the generation, and a slow reader's late write can do no harm.
 * Every call is bounded in time by the adapter and rejects when the store cannot be reached.
 */
export interface Cache {
  /** The namespace's generation and the variant's value, each if there is one; the value only if it is fresh. */
  read(namespace: string, variant: string): Promise<{ generation?: string; value?: string }>
  /** The namespace's generation, made now if it has none. To be called before the source is read. */
  generation(namespace: string): Promise<string>
  /** Keeps a value that was read after its generation. */
  write(namespace: string, variant: string, generation: string, value: string): Promise<void>
  /** Forgets the generations. To be called after the commit and before its answer. */
  invalidate(namespaces: readonly string[]): Promise<void>
}
