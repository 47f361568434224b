import type { Handler } from '../../../shared/http/call.ts'
import { type AssetName, assetReader, etagOf } from './assets.ts'
import declaration from './function.ts'
import { contentSecurityPolicy, page } from './page.ts'

const { openapi, script, styles, setup, look, icon } = declaration.trigger.operations

/** What changes with the API is always asked for again, which its ETag makes cheap; the viewer changes with an upgrade. */
const caching = { own: 'no-cache', viewer: 'public, max-age=3600' } as const

export default () => {
  const read = assetReader()
  const html = page({
    document: openapi.path,
    styles: [styles.path, look.path],
    scripts: [script.path, setup.path],
    icon: icon.path,
  })
  const asset =
    (name: AssetName, freshness: keyof typeof caching): Handler =>
    async () => {
      const { bytes, etag } = await read(name)
      return {
        body: bytes,
        etag,
        headers: { 'cache-control': caching[freshness], 'x-content-type-options': 'nosniff' },
      }
    }
  return {
    openapi: asset('openapi.json', 'own'),
    page: async () => ({
      body: html,
      etag: etagOf(html),
      headers: {
        'cache-control': caching.own,
        'content-security-policy': contentSecurityPolicy,
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      },
    }),
    script: asset('swagger-ui-bundle.js', 'viewer'),
    styles: asset('swagger-ui.css', 'viewer'),
    setup: asset('registrar.js', 'own'),
    look: asset('registrar.css', 'own'),
    icon: asset('favicon-32x32.png', 'viewer'),
  } satisfies Record<keyof typeof declaration.trigger.operations, Handler>
}
