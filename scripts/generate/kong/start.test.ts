import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '../../..')
const dir = mkdtempSync(join(tmpdir(), 'kong-start-'))
const out = join(dir, 'kong.yml')
const entry = join(dir, 'entrypoint.sh')
writeFileSync(entry, '#!/bin/sh\nset +u\necho "$@ [$API_KEYS]"\n')
chmodSync(entry, 0o755)
afterAll(() => rmSync(dir, { recursive: true }))

const one = 'aKey_of-the-tests-1'
const two = 'anotherKey_of-tests'

function start(env: Readonly<Record<string, string>>) {
  rmSync(out, { force: true })
  return spawnSync('sh', [join(root, 'kong/compose/start.sh')], {
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'] ?? '',
      REGISTRAR_CONFIG: join(root, 'kong/kong.yml'),
      KONG_DECLARATIVE_CONFIG: out,
      KONG_ENTRYPOINT: `${join(dir, 'missing')} ${entry}`,
      ...env,
    },
  })
}

test('Kong starts with kong.yml, its keys, and containers for what Kubernetes would have', () => {
  const file = join(dir, 'keys')
  writeFileSync(file, `${two}\n`)
  const { status, stdout } = start({ API_KEYS: ` ${one},`, API_KEYS_FILE: file })
  expect([status, stdout]).toEqual([0, 'kong docker-start []\n'])
  const { keyauth_credentials: credentials, services, plugins, ...made } = parse(readFileSync(out, 'utf8'))
  expect(credentials).toEqual([one, two].map((key) => ({ consumer: 'registrar', key })))
  const source = parse(readFileSync(join(root, 'kong/kong.yml'), 'utf8'))
  expect(services).toEqual(
    source.services.map((service: { name: string }) => ({ ...service, url: `http://${service.name}:8080` })),
  )
  const limit = (list: { name: string }[]) => list.find(({ name }) => name === 'rate-limiting')
  expect(limit(plugins)).toMatchObject({ config: { redis: { host: 'redis', port: 6379 } } })
  const { services: _, plugins: before, ...rest } = source
  expect(made).toEqual(rest)
  const others = (list: { name: string }[]) => list.filter(({ name }) => name !== 'rate-limiting')
  expect(others(plugins)).toEqual(others(before))
  // Nobody else may read the keys.
  expect(statSync(out).mode & 0o077).toBe(0)
})

test.each([
  [{}, 'has no key'],
  [{ API_KEYS: ' , ' }, 'has no key'],
  [{ API_KEYS: 'short' }, '16 or more'],
  [{ API_KEYS: `${one},${two}"\nplugins: []` }, '16 or more'],
  [{ API_KEYS: one, KONG_ENTRYPOINT: '/nowhere' }, 'no entrypoint'],
])('%j is refused, without a word of the keys', (env, reason) => {
  const { status, stdout, stderr } = start(env)
  expect([status, stdout]).toEqual([1, ''])
  expect(stderr).toContain(reason)
  for (const secret of [one, two, 'short']) expect(stderr).not.toContain(secret)
})
