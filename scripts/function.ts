import { createServer, Server } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { discoverFunctions } from '../shared/spec/discover.ts'
import { checkPort } from './local/listen.ts'
import { Refusal } from './local/refusal.ts'
import { findUrls } from './local/servers.ts'

// npm run function -- students/get: one function alone under the functions-framework CLI, in this very process.

const { env } = process
const root = join(import.meta.dirname, '..')

async function main(): Promise<void> {
  const wanted = process.argv[2]
  const all = (await discoverFunctions(root)).filter(({ declaration }) => declaration.trigger.kind === 'http')
  const found = all.find(({ name }) => name.full === wanted || name.slug === wanted)
  const names = all.map(({ name }) => name.full).join(', ')
  if (!found)
    throw new Refusal(
      `Say which HTTP function to run, as in npm run function -- students/get: one of ${names}.`,
    )
  const port = env['PORT'] || '8080'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535)
    throw new Refusal(`PORT must be a whole number, not "${port}".`)
  await checkPort(Number(port), () => createServer())
  const { full, slug } = found.name
  Object.assign(env, findUrls(root, env), { FUNCTION: full })
  process.title = full
  onLoopback()
  const cli = join(root, 'node_modules/.bin/functions-framework')
  const source = join(root, 'shared/hosts/functions-framework.ts')
  process.argv = [process.execPath, cli, `--target=${slug}`, `--source=${source}`, `--port=${port}`]
  await import(pathToFileURL(cli).href)
}

/** The CLI has no option for its address and would listen on every interface. */
function onLoopback(): void {
  const listen = Server.prototype.listen
  Server.prototype.listen = function (this: Server, ...args: unknown[]): Server {
    const [port, ...rest] = args
    const alone = (typeof port === 'number' || typeof port === 'string') && typeof rest[0] !== 'string'
    return Reflect.apply(
      listen,
      this,
      alone ? [{ port: Number(port), host: env['HOST'] || '127.0.0.1' }, ...rest] : args,
    )
  }
}

try {
  await main()
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  for (const problem of error.problems) console.error(problem)
  process.exitCode = 1
}
