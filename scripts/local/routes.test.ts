import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Refusal } from './refusal.ts'
import { matchPath, readRoutes } from './routes.ts'

async function routesOf(yaml: string) {
  const dir = mkdtempSync(join(tmpdir(), 'routes-'))
  try {
    writeFileSync(join(dir, 'kong.yml'), yaml)
    return await readRoutes(join(dir, 'kong.yml'))
  } finally {
    rmSync(dir, { recursive: true })
  }
}

const route = (name: string, path: string, methods: string, more = ''): string =>
  `  - { name: ${name}, routes: [{ name: ${name}, paths: ["~${path}"], methods: [${methods}]${more} }] }\n`

test('a path gathers the methods of all functions that have it', async () => {
  const routes = await routesOf(
    `services:\n${route('a-get', '/a/(?<id>[^/]+)$', 'GET, HEAD')}${route('a-put', '/a/(?<id>[^/]+)$', 'PUT')}`,
  )
  const path = matchPath(routes, '/a/1')
  expect(path?.allow).toBe('GET, HEAD, PUT, OPTIONS')
  expect(path?.methods.get('PUT')).toBe('a-put')
  expect(matchPath(routes, '/x/a/1')).toBeUndefined()
})

test('a literal path goes first, unless a priority says otherwise', async () => {
  const both = (more = ''): string =>
    `services:\n${route('one', '/a/(?<identifier>[^/]+)$', 'GET', more)}${route('health', '/a/health$', 'GET')}`
  expect(matchPath(await routesOf(both()), '/a/health')?.methods.get('GET')).toBe('health')
  expect(matchPath(await routesOf(both(', regex_priority: 1')), '/a/health')?.methods.get('GET')).toBe('one')
})

test('a route without key-auth is public, and the names of the key are read', async () => {
  const keyAuth = ', plugins: [{ name: key-auth, config: { key_names: [k] } }]'
  const routes = await routesOf(
    `services:\n${route('docs', '/docs$', 'GET')}${route('get', '/get$', 'GET', keyAuth)}`,
  )
  expect(routes.keyNames).toEqual(['k'])
  expect(matchPath(routes, '/docs')?.isPublic).toBe(true)
  expect(matchPath(routes, '/get')?.isPublic).toBe(false)
})

test('no file is one clear sentence', async () => {
  await expect(readRoutes('/nowhere/kong.yml')).rejects.toThrow(Refusal)
})
