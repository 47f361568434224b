import { join } from 'node:path'
import * as courses from '../functions/courses/wiring.ts'
import * as students from '../functions/students/wiring.ts'
import { Config } from '../shared/config.ts'
import { Environment } from '../shared/wiring/environment.ts'
import { Refusal } from './local/refusal.ts'
import { findUrls } from './local/servers.ts'
import { listDeadLetters, replayDeadLetters } from './operate/dead-letters.ts'
import { resync } from './operate/resync.ts'

// npm run operate: what an operator does by hand, on the servers of the environment or of a running npm start.

const usage = `npm run operate -- dead-letters                    what no worker could process, and why
npm run operate -- replay <number> | all            send it again
npm run operate -- resync students | courses [id]   tell the other side every register, after messages were lost`

async function main([command, ...args]: readonly string[]): Promise<void> {
  const env = { ...process.env, ...findUrls(join(import.meta.dirname, '..'), process.env) }
  const url = env['EVENTS_URL'] ?? ''
  const [first, second] = args
  switch (command) {
    case 'dead-letters':
      return listDeadLetters(url)
    case 'replay':
      if (first !== 'all' && !/^\d+$/.test(first ?? '')) throw new Refusal(usage)
      return replayDeadLetters(url, first === 'all' ? 'all' : Number(first))
    case 'resync': {
      if (first !== 'students' && first !== 'courses') throw new Refusal(usage)
      await using environment = new Environment(`${first}/resync`, new Config(env))
      const told =
        first === 'students'
          ? await resync(
              {
                side: 'S',
                repository: await students.repository(environment),
                events: await students.events(environment),
              },
              second,
            )
          : await resync(
              {
                side: 'C',
                repository: await courses.repository(environment),
                events: await courses.events(environment),
              },
              second,
            )
      console.log(`${told} registers told`)
      return
    }
    default:
      throw new Refusal(usage)
  }
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  console.error(
    error instanceof Refusal
      ? error.problems.join('\n')
      : `failed: ${error instanceof Error ? error.message : error}`,
  )
  process.exitCode = 1
}
