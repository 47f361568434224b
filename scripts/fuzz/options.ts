import { parseArgs } from 'node:util'
import type { Origin } from './render.ts'

export interface Options {
  /** Undefined: a system of its own. */
  readonly origin: Origin | undefined
  readonly requests: number
  readonly seed: number
  readonly lanes: number
  readonly stalls: boolean
}

export const usage = `usage: npm run fuzz -- [--url http://localhost:8000 --key KEY] [--requests N] [--seed S] [--lanes N] [--stalls]

Sends valid, nearly valid and hostile requests made from openapi.json, and connections whose framing is broken, and holds
every answer against what the description promises. Without --url it starts a system of its own, on engines of its own.
The key may come as API_KEY.
  --requests N  how many to send (2000)
  --seed S      what they are drawn from (random; said at the beginning)
  --lanes N     how many are under way at a time (8); with 1, one seed gives one order of requests
  --stalls      waits, too, for connections to be given up on which a request never comes whole (a minute or so)`

/** @returns a sentence where the arguments are not to be understood; undefined where only help is wanted. */
export function readOptions(
  args: readonly string[],
  variables: NodeJS.ProcessEnv,
): Options | string | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        url: { type: 'string' },
        key: { type: 'string' },
        requests: { type: 'string', default: '2000' },
        seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
        lanes: { type: 'string', default: '8' },
        stalls: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) return undefined
    const { stalls } = values
    const numbers = {
      requests: Number(values.requests),
      seed: Number(values.seed),
      lanes: Number(values.lanes),
    }
    if (!within(numbers.requests, 1, 10_000_000)) return '--requests is not a whole number from 1 to 10000000'
    if (!within(numbers.seed, 0, 2 ** 31 - 1)) return '--seed is not a whole number from 0 to 2147483647'
    if (!within(numbers.lanes, 1, 64)) return '--lanes is not a whole number from 1 to 64'
    if (values.url === undefined)
      return values.key === undefined
        ? { origin: undefined, ...numbers, stalls }
        : '--key is of no use without --url'
    const url = URL.parse(values.url)
    if (url?.protocol !== 'http:' || url.pathname !== '/')
      return '--url is not the origin of a gateway, such as http://localhost:8000'
    const key = values.key ?? variables['API_KEY']
    if (!key) return '--key is missing'
    return { origin: { hostname: url.hostname, port: Number(url.port || 80), key }, ...numbers, stalls }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The arguments that ask for the same again; the key, which is nobody's to read, comes as API_KEY. */
export function argumentsOf({ origin, requests, seed, lanes, stalls }: Options): string[] {
  const url = origin ? ['--url', `http://${origin.hostname}:${origin.port}`] : []
  const numbers = ['--requests', requests, '--seed', seed, '--lanes', lanes].map(String)
  return [...url, ...numbers, ...(stalls ? ['--stalls'] : [])]
}

const within = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && least <= value && value <= most
