/** The names that derive from a function's folder; nothing else spells them. */
export interface FunctionName {
  /** `students/get`: the folder, the process title, the metric label. */
  readonly full: string
  /** `students`: the service that the function belongs to. */
  readonly service: string
  /** `students-get`: Knative service, durable consumer, image, OpenFaaS function. */
  readonly slug: string
}

export function functionName(full: string): FunctionName {
  const parts = full.split('/')
  const [service, own] = parts
  if (parts.length !== 2 || !service || !own || !/^[a-z]+\/[a-z]+(-[a-z]+)*$/.test(full)) {
    throw new Error(`"${full}" is not a function's name: it is <service>/<function> in kebab-case`)
  }
  return { full, service, slug: slugOf(full) }
}

/** `students-get` of `students/get`. */
export const slugOf = (full: string): string => full.replace('/', '-')

/** `students/get` of `students-get`: a service is one word. */
export const fullNameOf = (slug: string): string => slug.replace('-', '/')
