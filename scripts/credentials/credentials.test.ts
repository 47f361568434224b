import { execFile, execFileSync } from 'node:child_process'
import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { Config } from '../../shared/config.ts'
import { passwordOf } from '../../shared/provision/credentials.ts'
import { natsBinary } from '../engines/nats.ts'

const root = join(import.meta.dirname, '../..')
const key = 'a-roles-key-of-the-tests-0123456789'
const owner = {
  STUDENTS_URL: 'postgres://owner:secret@db:5432/registrar?sslmode=require',
  COURSES_URL: 'mongodb://owner:secret@m1,m2/registrar',
  CACHE_URL: 'redis://:secret@redis',
  EVENTS_URL: 'nats://registrar:secret@nats',
}
let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'registrar-credentials-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

const credentials = (
  args: readonly string[],
  env: Readonly<Record<string, string>> = { ...owner, ROLES_KEY: key },
): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    const { PATH = '' } = process.env
    const script = join(import.meta.dirname, 'credentials.ts')
    execFile(process.execPath, [script, ...args], { env: { PATH, ...env } }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    )
  })

/** That the server takes a file that says who may come. */
async function expectTaken(authorization: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const folder = await mkdtemp(join(dir, 'nats-'))
  await writeFile(join(folder, 'authorization.conf'), authorization)
  await writeFile(join(folder, 'nats.conf'), 'port: 4222\ninclude authorization.conf\n')
  const told = execFileSync(natsBinary(), ['-t', '-c', join(folder, 'nats.conf')], { env, stdio: 'pipe' })
  expect(told).toBeDefined()
}

describe('npm run credentials', () => {
  it('kubernetes: prints every Secret, with a way for each function that is its own', async () => {
    const { code, out, err } = await credentials(['kubernetes'])
    expect([code, err]).toEqual([0, ''])
    const secrets = new Map(
      parseAllDocuments(out).map((one) => {
        const { metadata, stringData }: { metadata: { name: string }; stringData: Record<string, string> } =
          one.toJS()
        return [metadata.name, stringData]
      }),
    )
    const students = secrets.get('registrar-students-db')
    expect(students?.['url']).toBe(owner.STUDENTS_URL)
    expect(students?.['students-get']).toBe(
      `postgres://registrar.students-get:${passwordOf(key, 'students-get')}@db:5432/registrar?sslmode=require`,
    )
    // MongoDB knows one user alone.
    expect(secrets.get('registrar-courses-db')?.['courses-get']).toBe(owner.COURSES_URL)
    expect(secrets.get('registrar-events')?.['students-enrol']).toBe(
      `nats://students-enrol:${passwordOf(key, 'students-enrol')}@nats`,
    )
    expect(secrets.get('registrar-roles')).toEqual({ key })
    // The shape that manifests refer to, and the example has.
    const example = parseAllDocuments(
      await readFile(join(root, 'knative/base/secrets.example.yaml'), 'utf8'),
    ).map((one) => one.toJS())
    for (const [name, data] of secrets)
      expect([name, Object.keys(data)]).toEqual([
        name,
        Object.keys(example.find((one) => one.metadata.name === name)?.stringData ?? {}),
      ])
    await expectTaken(secrets.get('nats-password')?.['authorization.conf'] ?? '')
  })

  it('openfaas: writes a file for each secret of stack.yml and stack.pro.yml, as functions read it', async () => {
    const folder = join(dir, 'openfaas')
    expect((await credentials(['openfaas', folder])).code).toBe(0)
    const wanted = new Set<string>()
    for (const file of ['stack.yml', 'stack.pro.yml']) {
      const stack: { functions: Record<string, { secrets?: string[] }> } = parse(
        await readFile(join(root, file), 'utf8'),
      )
      for (const { secrets = [] } of Object.values(stack.functions))
        for (const name of secrets) wanted.add(name)
    }
    expect((await readdir(folder)).sort()).toEqual([...wanted].sort())
    for (const name of wanted) expect((await stat(join(folder, name))).mode & 0o077).toBe(0)
    const read = (slug: string) => new Config({}, { secrets: folder, slug })
    expect(read('students-get').serviceUrl('STUDENTS_URL', ['postgres']).url).toContain(
      'registrar.students-get:',
    )
    expect(read('students-get').serviceUrl('CACHE_URL', ['redis']).url).toBe(owner.CACHE_URL)
    expect(read('platform-initialize').serviceUrl('STUDENTS_URL', ['postgres']).url).toBe(owner.STUDENTS_URL)
    expect(read('platform-initialize').rolesKey()).toBe(key)
  })

  it('compose: makes an environment that compose.yaml and its NATS take, and keeps what is there', async () => {
    const file = join(dir, '.env')
    const variables = async (): Promise<Record<string, string>> =>
      Object.fromEntries(
        [...(await readFile(file, 'utf8')).matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [
          name,
          value,
        ]),
      )
    expect((await credentials(['compose', file], {})).code).toBe(0)
    expect((await stat(file)).mode & 0o077).toBe(0)
    const made = await variables()
    const used = (await readFile(join(root, 'kong/compose.yaml'), 'utf8')).matchAll(
      /(?<!\$)\$\{([A-Z_]+):\?/g,
    )
    for (const [, name = ''] of used)
      expect([name, made[name]]).toEqual([name, expect.stringMatching(/^p[0-9a-f]{36,}$/)])
    expect(made['STUDENTS_GET_PASSWORD']).toBe(passwordOf(made['ROLES_KEY'] ?? '', 'students-get'))
    await expectTaken(await readFile(join(root, 'kong/compose/authorization.conf'), 'utf8'), made)
    // Somebody's own words stay; passwords follow the key.
    await writeFile(
      file,
      'API_KEYS=mine-0123456789abcdef\nPORT=9000\nROLES_KEY=another-key-0123456789-0123456789\n',
    )
    expect((await credentials(['compose', file], {})).code).toBe(0)
    const kept = await variables()
    expect(kept).toMatchObject({ API_KEYS: 'mine-0123456789abcdef', PORT: '9000' })
    expect(kept['STUDENTS_GET_PASSWORD']).toBe(
      passwordOf('another-key-0123456789-0123456789', 'students-get'),
    )
    expect(
      Object.keys(kept)
        .filter((name) => name !== 'PORT')
        .sort(),
    ).toEqual(Object.keys(made).sort())
    const before = await readFile(file, 'utf8')
    await credentials(['compose', file], {})
    expect(await readFile(file, 'utf8')).toBe(before)
  })

  it('compose: adds to a file of somebody else, and changes nothing there but passwords of another roles key', async () => {
    const file = join(dir, 'own.env')
    const key = 'another-key-0123456789-0123456789'
    const own = [
      '# Ours.',
      'MY_OWN="some word" # of no concern',
      'export POSTGRES_PASSWORD=pOLD',
      `ROLES_KEY="${key}"`,
      'MONGODB_PASSWORD=',
      '  STUDENTS_GET_PASSWORD = of-another-key',
    ]
    await writeFile(file, own.join('\n'))
    expect((await credentials(['compose', file], {})).code).toBe(0)
    const text = await readFile(file, 'utf8')
    const lines = text.split('\n')
    expect(lines.slice(0, 6)).toEqual([
      ...own.slice(0, 4),
      expect.stringMatching(/^MONGODB_PASSWORD=p[0-9a-f]{36}$/),
      `  STUDENTS_GET_PASSWORD =${passwordOf(key, 'students-get')}`,
    ])
    expect(lines).toContain(`COURSES_ENROL_PASSWORD=${passwordOf(key, 'courses-enrol')}`)
    expect(text.match(/POSTGRES_PASSWORD|ROLES_KEY|STUDENTS_GET_PASSWORD/g)).toHaveLength(3)
    await credentials(['compose', file], {})
    expect(await readFile(file, 'utf8')).toBe(text)
  })

  it('compose: does not replace what it cannot read', async () => {
    const file = join(dir, 'unreadable.env')
    // Unreadable for root, too.
    await symlink(file, file)
    const { code, out, err } = await credentials(['compose', file], {})
    expect([code, out, err]).toEqual([
      1,
      '',
      expect.stringMatching(/^It failed: ELOOP: .*unreadable\.env'\.\n$/),
    ])
    expect((await lstat(file)).isSymbolicLink()).toBe(true)
  })

  it.each([
    [
      ['kubernetes'],
      {},
      `STUDENTS_URL is not set: it is a URL, postgres:// or postgresql://.
COURSES_URL is not set: it is a URL, mongodb:// or mongodb+srv:// or postgres:// or postgresql://.
CACHE_URL is not set: it is a URL, redis:// or rediss://.
EVENTS_URL is not set: it is a URL, nats:// or tls://.
ROLES_KEY is not set: it is a random word of 32 or more characters.
`,
    ],
    [
      ['kubernetes'],
      { ...owner, ROLES_KEY: 'short' },
      'ROLES_KEY is too short: it is a random word of 32 or more characters.\n',
    ],
    [
      ['openfaas', 'x'],
      { ...owner, CACHE_URL: 'redis', ROLES_KEY: key },
      'CACHE_URL is not a URL, redis:// or rediss://.\n',
    ],
    [['openfaas'], {}, 'For what? "openfaas" is not understood.\n\nusage: '],
    [[], {}, 'For what? "" is not understood.\n\nusage: '],
    [['kubernetes', '--fast'], {}, "Unknown option '--fast'"],
  ])('%o with %o is refused in a sentence', async (args, env, said) => {
    const { code, out, err } = await credentials(args, env)
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain(said)
    expect(err).not.toContain(':secret@')
  })
})
