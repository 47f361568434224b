/** An image's name below its registry. */
export const imageName = (slug: string): string => `registrar-${slug}`

/** Until somebody says where to: names that Knative does not look up in a registry. */
export const defaultRegistry = 'dev.local'
export const defaultTag = 'dev'

/** The build argument of the Dockerfile that makes an image of what runs to its end answer calls, and its name. */
export const onCall = { RUNS: 'on-call' } as const
export const onCallSlug = (slug: string): string => `${slug}-${onCall.RUNS}`

/** The image of the stream functions' other form, the `cloudEvent` functions of functions-framework; and how it is built. */
export const eventsSlug = 'events'
export const events = { FUNCTION: eventsSlug, RUNS: 'events' } as const
