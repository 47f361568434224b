import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { parse } from 'yaml'
import { scripts } from './lua.ts'

export interface Plugin {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
}

const config = v.record(v.string(), v.unknown())

const file = v.strictObject({
  cors_origins: v.array(v.string()),
  plugins: v.array(v.strictObject({ name: v.string(), config })),
  key_auth: config,
  consumer: v.string(),
})

/** What Kong has beside the routes. */
export interface Base {
  readonly consumer: string
  /** Of Kong as a whole. */
  readonly global: readonly Plugin[]
  /** On each route that is not public. */
  readonly keyAuth: Plugin
  /** On a route that refuses what its path has no function for. */
  refusal(allow: string): Plugin
}

/** kong/base.yml and kong/lua/; `allowedOrigins` in place of the file's own. */
export async function readBase(root: string, allowedOrigins?: readonly string[]): Promise<Base> {
  const text = await readFile(join(root, 'kong/base.yml'), 'utf8')
  const { consumer, plugins, cors_origins, key_auth: keyAuth } = v.parse(file, parse(text))
  const origins = allowedOrigins ?? cors_origins
  const lua = await scripts(root)
  return {
    consumer,
    global: [
      { name: 'pre-function', config: lua.before },
      ...(origins.length > 0 ? [cors(origins)] : []),
      ...plugins,
      { name: 'post-function', config: lua.after },
    ],
    keyAuth: { name: 'key-auth', config: keyAuth },
    refusal: (allow) => ({ name: 'post-function', config: lua.refusal(allow) }),
  }
}

/** What pages may send, and read of the answers. */
const cors = (origins: readonly string[]): Plugin => ({
  name: 'cors',
  config: {
    origins,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    headers: [
      ...['content-type', 'x-api-key', 'apikey', 'if-match', 'if-none-match', 'idempotency-key'],
      ...['traceparent', 'tracestate'],
    ],
    exposed_headers: ['allow', 'cache-status', 'etag', 'link', 'location', 'retry-after'],
    credentials: false,
    max_age: 600,
    preflight_continue: false,
  },
})
