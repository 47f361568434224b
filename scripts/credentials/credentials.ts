import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parseArgs, parseEnv } from 'node:util'
import { stringify } from 'yaml'
import { natsAddress } from '../../shared/adapters/nats-address.ts'
import { Config, ConfigurationError, secretNames } from '../../shared/config.ts'
import { passwordOf } from '../../shared/provision/credentials.ts'
import { type DiscoveredFunction, discoverFunctions } from '../../shared/spec/discover.ts'
import { authorization } from '../engines/nats.ts'
import { schemes, type UrlName } from '../local/configuration.ts'
import { Refusal } from '../local/refusal.ts'
import { readIfThere, writePrivate } from '../local/secrets.ts'
import { exitCodes, parsing, runCommand, UsageError } from '../operate/command.ts'
import { natsUsers } from './nats-users.ts'
import { manifestsOf, type OwnerUrls, secretKeyOf, secretNamesOf, secretsOf } from './secrets.ts'
import { passwordVariables } from './variables.ts'

const root = join(import.meta.dirname, '../..')

const usage = `usage: npm run -s credentials -- kubernetes | compose [FILE] | openfaas FOLDER

Derives what each function is at Postgres and at NATS, and its password, from the roles key.

  kubernetes       prints the Secrets, for kubectl apply -n registrar -f -
  compose [FILE]   makes kong/.env, or adds to it what it has not; functions' passwords there follow its ROLES_KEY
  openfaas FOLDER  writes a file for each secret, for faas-cli secret create NAME --from-file=FOLDER/NAME

kubernetes and openfaas take from the environment: STUDENTS_URL, COURSES_URL, CACHE_URL and EVENTS_URL, as the owner of each
server has them, and ROLES_KEY, a random word of 32 or more characters.`

/** What is wrong with the environment is told all at once. */
function given(): { urls: OwnerUrls; key: string } {
  const config = new Config()
  const problems: string[] = []
  const read = (ask: () => string): string => {
    try {
      return ask()
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      problems.push(...error.problems.map((one) => `${one}.`))
      return ''
    }
  }
  const url = (name: UrlName): string => read(() => config.serviceUrl(name, schemes[name]).url)
  const urls = {
    STUDENTS_URL: url('STUDENTS_URL'),
    COURSES_URL: url('COURSES_URL'),
    CACHE_URL: url('CACHE_URL'),
    EVENTS_URL: url('EVENTS_URL'),
  }
  const key = read(() => {
    const found = config.rolesKey()
    if (found !== undefined) return found
    throw new ConfigurationError(['ROLES_KEY is not set: it is a random word of 32 or more characters'])
  })
  if (problems.length > 0) throw new Refusal(...problems)
  return { urls, key }
}

function kubernetes(functions: readonly DiscoveredFunction[]): void {
  const { urls, key } = given()
  const { pass: password = '' } = natsAddress(urls.EVENTS_URL)
  const users = natsUsers(functions, (slug) => passwordOf(key, slug))
  const secrets = {
    ...secretsOf(functions, urls, key),
    // For the NATS of knative/base and of the overlay production; a server elsewhere is told the same.
    'nats-password': {
      password,
      'authorization.conf': authorization(JSON.stringify(password), users),
    },
  }
  process.stdout.write(
    manifestsOf(secrets)
      .map((one) => stringify(one, { lineWidth: 0 }))
      .join('---\n'),
  )
}

/** Adds to an environment file random words for what it has not. What it has stays, but for passwords of another roles key. */
async function compose(functions: readonly DiscoveredFunction[], file: string): Promise<void> {
  const example = await readFile(join(root, 'kong/.env.example'), 'utf8')
  const there = (await readIfThere(file)) ?? example.replace(/^# GENERATED.*\n/, '')
  const known = parseEnv(there)
  const word = (): string => `p${randomBytes(18).toString('hex')}`
  const key = known['ROLES_KEY'] || word()
  const derived = new Map(
    passwordVariables(functions).map(({ slug, variable }) => [variable, passwordOf(key, slug)]),
  )
  const wordOf = (name: string): string => (name === 'ROLES_KEY' ? key : (derived.get(name) ?? word()))
  const wanted = [...example.matchAll(/^([A-Z_]+)=$/gm)].map(([, name = '']) => name)
  const kept = there.replaceAll(
    /^([ \t]*(?:export[ \t]+)?([A-Z_]+)[ \t]*=).*$/gm,
    (line, start: string, name: string) =>
      derived.has(name) || (wanted.includes(name) && !known[name]) ? `${start}${wordOf(name)}` : line,
  )
  const missing = wanted
    .filter((name) => known[name] === undefined)
    .map((name) => `${name}=${wordOf(name)}\n`)
  await writePrivate(file, `${kept.replace(/(?<=[^\n])$/, '\n')}${missing.join('')}`)
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
