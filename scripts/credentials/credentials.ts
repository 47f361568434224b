import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { stringify } from 'yaml'
import { secretNames } from '../../shared/config.ts'
import { passwordOf } from '../../shared/provision/credentials.ts'
import { type DiscoveredFunction, discoverFunctions } from '../../shared/spec/discover.ts'
import { authorization } from '../engines/nats.ts'
import { urlNames } from '../local/configuration.ts'
import { Refusal } from '../local/refusal.ts'
import { writePrivate } from '../local/secrets.ts'
import { exitCodes, parsing, runCommand, UsageError } from '../operate/command.ts'
import { natsUsers } from './nats-users.ts'
import { manifestsOf, type OwnerUrls, secretKeyOf, secretNamesOf, secretsOf } from './secrets.ts'
import { passwordVariables } from './variables.ts'

const root = join(import.meta.dirname, '../..')

const usage = `usage: npm run -s credentials -- kubernetes | compose [FILE] | openfaas FOLDER

Derives what each function is at Postgres and at NATS, and its password, from the roles key.

  kubernetes       prints the Secrets, for kubectl apply -n registrar -f -
  compose [FILE]   makes kong/.env, or adds to it what it has not
  openfaas FOLDER  writes a file for each secret, for faas-cli secret create NAME --from-file=FOLDER/NAME

kubernetes and openfaas take from the environment: STUDENTS_URL, COURSES_URL, CACHE_URL and EVENTS_URL, as the owner of each
server has them, and ROLES_KEY, a random word of 32 or more characters.`

function given(): { urls: OwnerUrls; key: string } {
  const { env } = process
  const missing = [...urlNames, 'ROLES_KEY'].filter((name) => !env[name])
  if (missing.length > 0) throw new Refusal(`${missing.join(', ')} must be set in the environment.`)
  const { STUDENTS_URL = '', COURSES_URL = '', CACHE_URL = '', EVENTS_URL = '', ROLES_KEY = '' } = env
  const urls = { STUDENTS_URL, COURSES_URL, CACHE_URL, EVENTS_URL }
  const wrong = urlNames.filter((name) => !/^[a-z+]+:\/\/./.test(urls[name]))
  if (wrong.length > 0) throw new Refusal(`${wrong.join(', ')} must be URLs.`)
  if (ROLES_KEY.length < 32) throw new Refusal('ROLES_KEY must have 32 characters or more.')
  return { urls, key: ROLES_KEY }
}

function kubernetes(functions: readonly DiscoveredFunction[]): void {
  const { urls, key } = given()
  const { password } = new URL(urls.EVENTS_URL)
  const users = natsUsers(functions, (slug) => passwordOf(key, slug))
  const secrets = {
    ...secretsOf(functions, urls, key),
    // For the NATS of knative/base and of the overlay production; a server elsewhere is told the same.
    'nats-password': {
      password: decodeURIComponent(password),
      'authorization.conf': authorization(JSON.stringify(decodeURIComponent(password)), users),
    },
  }
  process.stdout.write(
    manifestsOf(secrets)
      .map((one) => stringify(one, { lineWidth: 0 }))
      .join('---\n'),
  )
}

/** Of an environment file what it has, and random words for what it has not. */
async function compose(functions: readonly DiscoveredFunction[], file: string): Promise<void> {
  const example = await readFile(join(root, 'kong/.env.example'), 'utf8')
  const there = await readFile(file, 'utf8').catch(() => '')
  const known = new Map(
    [...there.matchAll(/^([A-Z_]+)=(.+)$/gm)].map(([, name = '', value = '']) => [name, value]),
  )
  const word = (): string => `p${randomBytes(18).toString('hex')}`
  const key = known.get('ROLES_KEY') ?? word()
  const derived = new Map(
    passwordVariables(functions).map(({ slug, variable }) => [variable, passwordOf(key, slug)]),
  )
  const wordOf = (name: string): string =>
    name === 'ROLES_KEY' ? key : (derived.get(name) ?? known.get(name) ?? word())
  const filled = example
    .replace(/^# GENERATED.*\n/, '')
    .replaceAll(/^([A-Z_]+)=$/gm, (_, name: string) => `${name}=${wordOf(name)}`)
    .replaceAll(/^#([A-Z_]+)=.*$/gm, (line, name: string) =>
      known.has(name) ? `${name}=${known.get(name)}` : line,
    )
  await writePrivate(file, filled)
  console.log(`${relative(root, file)} has what docker compose -f kong/compose.yaml needs`)
}

async function openfaas(functions: readonly DiscoveredFunction[], folder: string): Promise<void> {
  const { urls, key } = given()
  const values = secretsOf(functions, urls, key)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const files = new Map<string, string>()
  for (const found of functions)
    for (const [variable, name] of Object.entries(secretNamesOf(found))) {
      const value =
        variable === 'ROLES_KEY' ? key : values[secretNames[variable] ?? '']?.[secretKeyOf(variable, found)]
      if (value === undefined) throw new Error(`${name} has no value`)
      files.set(name, value)
    }
  for (const [name, value] of files) await writeFile(join(folder, name), value, { mode: 0o600 })
  console.log(`${folder} has ${files.size} files`)
}

async function run(args: readonly string[]): Promise<number> {
  const { positionals } = parsing(() => parseArgs({ args: [...args], options: {}, allowPositionals: true }))
  const [target, path, ...more] = positionals
  const functions = await discoverFunctions(root)
  if (more.length > 0) throw new UsageError(`${more.join(' ')}: that is too much.`)
  if (target === 'openfaas' && path !== undefined) await openfaas(functions, path)
  else if (target === 'kubernetes' && path === undefined) kubernetes(functions)
  else if (target === 'compose') await compose(functions, path ?? join(root, 'kong/.env'))
  else throw new UsageError(`For what? "${positionals.join(' ')}" is not understood.`)
  return exitCodes.done
}

await runCommand({ usage, run })
