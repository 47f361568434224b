import * as v from 'valibot'
import { defineFunction } from '../../../shared/spec/define-function.ts'

const document = v.pipe(
  v.record(v.string(), v.unknown()),
  v.examples([{ openapi: '3.1.0', info: { title: 'Registrar API' } }]),
)

const page = v.pipe(v.string(), v.examples(['<!doctype html>\n<title>Registrar API</title>\n']))

const open = { method: 'GET', public: true } as const

export default defineFunction({
  summary: 'Serves the description of the API, and a page to read it and to try it',
  trigger: {
    kind: 'http',
    operations: {
      openapi: {
        ...open,
        path: '/api/openapi.json',
        summary: 'Read this description (OpenAPI 3.1)',
        success: { status: 200, description: 'The description', body: document, headers: ['ETag'] },
        failures: [304],
      },
      page: {
        ...open,
        path: '/api/docs',
        summary: 'Read this description as a page',
        success: {
          status: 200,
          description: 'The page',
          body: page,
          headers: ['ETag'],
          type: 'text/html; charset=utf-8',
        },
        failures: [304],
      },
      // The page's files. Each is an operation, for its content type, and so that no path can name any other file.
      script: file('/api/docs/swagger-ui-bundle.js', 'text/javascript; charset=utf-8'),
      styles: file('/api/docs/swagger-ui.css', 'text/css; charset=utf-8'),
      setup: file('/api/docs/registrar.js', 'text/javascript; charset=utf-8'),
      look: file('/api/docs/registrar.css', 'text/css; charset=utf-8'),
      icon: file('/api/docs/favicon-32x32.png', 'image/png'),
    },
  },
  needs: [],
})

function file<const P extends `/api/docs/${string}`>(path: P, type: string) {
  return {
    ...open,
    path,
    summary: 'A file of the page',
    success: { status: 200, description: 'The file', headers: ['ETag'], type },
    failures: [304],
  } as const
}
