import type { Events } from '../resource/events.ts'

/** How long a process has for its first answer before the driver is loaded in any case, in milliseconds. */
const headStart = 300

/**
 * Events whose driver is loaded, and connects, with the first message: most writes change no enrolment and have none, and
 * loading it is a third of a cold start. What is still not there after a moment is loaded aside, for the next write.
 */
export function deferredEvents(load: () => Promise<Events & AsyncDisposable>): Events & AsyncDisposable {
  let loading: Promise<Events & AsyncDisposable> | undefined
  const loaded = (): Promise<Events & AsyncDisposable> => {
    clearTimeout(aside)
    loading ??= load().catch((error: unknown) => {
      // Who comes next tries again.
      loading = undefined
      throw error
    })
    return loading
  }
  // Nobody waits for it yet: whoever does hears of the failure.
  const aside = setTimeout(() => loaded().catch(() => {}), headStart).unref()
  return {
    announce: async (mutation, telling) => (await loaded()).announce(mutation, telling),
    tell: async (to, link, telling) => (await loaded()).tell(to, link, telling),
    async [Symbol.asyncDispose]() {
      clearTimeout(aside)
      await (await loading)?.[Symbol.asyncDispose]()
    },
  }
}
