import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { httpApp } from '../../../shared/hosts/http-app.ts'
import type { HttpResponse } from '../../../shared/http/message.ts'
import { type AssetName, assetFiles } from './assets.ts'
import declaration from './function.ts'
import handler from './handler.ts'

const app = httpApp({ name: 'platform/docs', declaration, handlers: handler() })

const get = (path: string, headers: Record<string, string> = {}, query = ''): Promise<HttpResponse> =>
  app({ method: 'GET', path, query, headers, values: () => [], body: async () => new Uint8Array() })

const { operations } = declaration.trigger

test.each(Object.entries(operations))(
  '%s has a type, an entity tag, and is not sent again',
  async (_, { path, success }) => {
    const { status, headers, body } = await get(path)
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('type' in success ? success.type : 'application/json')
    expect(headers['cache-control']).toBeTruthy()
    expect(Buffer.byteLength(body ?? '')).toBeGreaterThan(0)
    const again = await get(path, { 'if-none-match': headers['etag'] ?? '' })
    expect(again.status).toBe(304)
    expect(again.body).toBeUndefined()
  },
)

test('openapi.json is the generated file, byte by byte', async () => {
  const { body } = await get('/api/openapi.json')
  expect(Buffer.from(body ?? '')).toEqual(await readFile(join(import.meta.dirname, '../../../openapi.json')))
})

test('every file that a bundle is to have is one of the page', async () => {
  const names = assetFiles().map((file) => basename(file) as AssetName)
  const paths = Object.values(operations).map(({ path }) => basename(path))
  expect(paths).toEqual(expect.arrayContaining(names))
  expect(paths).toHaveLength(names.length + 1)
})

test('the page names what it needs by paths that are served, and nothing in it is inline', async () => {
  const { body, headers } = await get('/api/docs')
  const html = String(body)
  expect(html).toContain('<title>Registrar API</title>')
  for (const [, path = ''] of html.matchAll(/(?:src|href|data-document)="([^"]*)"/g)) {
    expect((await get(path)).status).toBe(200)
  }
  expect(html).not.toMatch(/<script>|<style|style=|\son\w+=/)
  expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'")
})

test.each([
  '/api/docs/package.json',
  '/api/docs/swagger-ui.js',
  '/api/docs/',
  '/api/docs/..%2fhandler.ts',
  '/api/openapiXjson',
])('%s: 404', async (path) => expect((await get(path)).status).toBe(404))

test('an unknown parameter is refused, as everywhere', async () => {
  expect((await get('/api/docs', {}, 'v=1')).status).toBe(400)
})
