/** A small function set: what each does is in fake-main.ts. */
export const functions: Readonly<Record<string, string>> = {
  'students/get': `{ summary: 'get', trigger: { kind: 'http', operations: {} }, needs: ['writer'] }`,
  'students/write': `{ summary: 'write', trigger: { kind: 'http', operations: {} }, needs: [] }`,
  'students/health': `{ summary: 'health', trigger: { kind: 'http', operations: {} }, needs: [] }`,
  'students/brief': `{ summary: 'brief', trigger: { kind: 'http', operations: {} }, needs: [], scaling: { timeout: 2 } }`,
  'platform/docs': `{ summary: 'docs', trigger: { kind: 'http', operations: {} }, needs: [] }`,
  'platform/initialize': `{ summary: 'initialize', trigger: { kind: 'job' }, needs: ['provisioners'] }`,
  'students/by-course': `{ summary: 'lookup', trigger: { kind: 'grpc', service: 's', method: 'm' }, needs: [] }`,
  'students/enrol': `{ summary: 'enrol', trigger: { kind: 'stream', stream: 'Changes', subject: 'changes.students' }, needs: [] }`,
  'students/sweep': `{ summary: 'sweep', trigger: { kind: 'cron', schedule: '0 0 29 2 *' }, needs: [] }`,
}

const keyAuth =
  '{ name: key-auth, config: { key_names: [x-api-key, apikey], key_in_header: true, key_in_query: false, key_in_body: true, hide_credentials: true } }'
const route = (name: string, path: string, methods: string, plugins = keyAuth): string =>
  `      - { name: ${name}, paths: ["~${path}$"], methods: [${methods}], strip_path: false, plugins: [${plugins}] }`

export const kong = `_format_version: "3.0"
services:
  - name: students-get
    url: http://students-get
    routes:
${route('students-get', '/api/students/(?<id>[^/]+)', 'GET, HEAD')}
  - name: students-write
    url: http://students-write
    routes:
${route('students-write', '/api/students/(?<id>[^/]+)', 'PUT, DELETE')}
${route('students-create', '/api/students', 'POST')}
  - name: students-health
    url: http://students-health
    routes:
${route('students-health', '/api/students/health', 'GET, HEAD')}
  - name: students-brief
    url: http://students-brief
    routes:
${route('students-brief', '/api/students/brief', 'GET')}
  - name: platform-docs
    url: http://platform-docs
    routes:
${route('docs', '/api/docs', 'GET, HEAD', '')}
`
