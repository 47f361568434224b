import { parseArgs } from 'node:util'
import initializing from '../../functions/platform/initialize/handler.ts'
import { provisioners } from '../../functions/platform/wiring.ts'
import { Config } from '../../shared/config.ts'
import { Environment } from '../../shared/wiring/environment.ts'
import { exitCodes, parsing, runCommand } from './command.ts'
import { urlsOf } from './servers.ts'

// npm run initialize: the initializer by hand, on the servers of the environment or of a running npm start.

const usage = `usage: npm run initialize -- [--check] [--force]

Makes streams, consumers, schemas and indexes what the functions need, and tells what it does. Works on the servers of
STUDENTS_URL, COURSES_URL and EVENTS_URL, or of the npm start beside it.
  --check  only tells what differs
  --force  does what may lose data as well
Exit code 0: all is in place; 2: with --check, something differs; 3: nothing was done, for it needs --force or a human;
1: it could not be done.`

async function run(args: readonly string[]): Promise<number> {
  const { values: mode } = parsing(() =>
    parseArgs({
      args: [...args],
      options: {
        check: { type: 'boolean', default: false },
        force: { type: 'boolean', default: false },
      },
    }),
  )
  const wait = new Config(process.env).waitSeconds()
  const urls = urlsOf('STUDENTS_URL', 'COURSES_URL', 'EVENTS_URL')
  await using environment = new Environment('platform/initialize', new Config({ ...process.env, ...urls }))
  await initializing({ provisioners: await provisioners(environment), mode: { ...mode, wait } })()
  // The handler says how it ended: as the job does, so does this.
  return Number(process.exitCode ?? exitCodes.done)
}

await runCommand({ usage, run })
