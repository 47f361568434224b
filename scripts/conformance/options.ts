import { parseArgs } from 'node:util'

export interface Options {
  readonly url: string
  readonly key: string
  /** Checks whose names have one of these are left out. */
  readonly without: readonly string[]
  /** Only checks whose names have this. */
  readonly only: string | undefined
}

export const usage = `usage: npm run conformance -- --url http://localhost:8000 --key KEY [--kong] [--only TEXT] [--without TEXT]...

Asks a gateway, known by its URL and a key, for everything that the HTTP contract says; the key may come as API_KEY.
  --kong          leaves out what nginx, below Kong, is known to answer otherwise
  --only TEXT     only checks whose names have this text
  --without TEXT  leaves out checks whose names have this text`

/** What Kong cannot be made to do, by the names of the checks, and why. */
export const kongDiffers: Readonly<Record<string, string>> = {
  'asks for a body that waits for it': 'Kong asks for a body before a function can refuse its head',
  'an id that is no text': 'nginx answers a path with %00 or a broken escape itself, with 400',
}

/** @returns a sentence where the arguments are not to be understood. */
export function readOptions(args: readonly string[], variables: NodeJS.ProcessEnv): Options | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        url: { type: 'string' },
        key: { type: 'string' },
        kong: { type: 'boolean', default: false },
        only: { type: 'string' },
        without: { type: 'string', multiple: true, default: [] },
      },
    })
    const key = values.key ?? variables['API_KEY']
    const url = URL.parse(values.url ?? '')
    if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/')
      return '--url is not the origin of a gateway, such as http://localhost:8000'
    if (!key) return '--key is missing'
    const without = [...values.without, ...(values.kong ? Object.keys(kongDiffers) : [])]
    return { url: url.origin, key, without, only: values.only }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
