import * as v from 'valibot'

// What we use of Kong 3.9's entities, strictly, by hand: no package has it, and deck, which would ask Kong's own rules,
// cannot be had from the registries here. Sources: kong/db/schema/entities/{services,routes,plugins,consumers}.lua and
// kong/plugins/*/schema.lua of github.com/Kong/kong.

const milliseconds = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31 - 2))
const name = v.pipe(v.string(), v.regex(/^[\w.~-]+$/))
const header = v.pipe(v.string(), v.regex(/^[A-Za-z\d-]+$/))
const method = v.pipe(v.string(), v.regex(/^[A-Z]+$/))
const lua = v.array(v.pipe(v.string(), v.minLength(1)))
const phases = v.partial(v.strictObject({ access: lua, header_filter: lua, body_filter: lua }))
/** Kong runs it with the first `~` gone, `^` before it and `?P<` for `?<`, by Rust's regex, which cannot look around. */
const path = v.pipe(
  v.string(),
  v.regex(
    /^~\/api\/(?:[a-z-]+|\d|\/|\\\.|\(\?<[a-z]+>\[\^\/\]\+\))+\$$/,
    'is not in what all engines read alike',
  ),
)

const redis = v.strictObject({
  host: v.pipe(v.string(), v.regex(/^[a-z\d.-]+$/)),
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  database: v.pipe(v.number(), v.integer(), v.minValue(0)),
  timeout: milliseconds,
  password: v.pipe(v.string(), v.regex(/^\{vault:\/\/env\/[a-z-]+\}$/, 'is not a vault reference')),
})

const configs = {
  'key-auth': v.strictObject({
    key_names: v.pipe(v.array(header), v.minLength(1)),
    key_in_header: v.literal(true),
    key_in_body: v.boolean(),
    key_in_query: v.literal(false),
    hide_credentials: v.literal(true),
    run_on_preflight: v.boolean(),
    realm: v.string(),
  }),
  'correlation-id': v.strictObject({
    header_name: header,
    generator: v.picklist(['uuid', 'uuid#counter', 'tracker']),
    echo_downstream: v.boolean(),
  }),
  'request-size-limiting': v.strictObject({
    allowed_payload_size: v.pipe(v.number(), v.integer()),
    size_unit: v.literal('bytes'),
    require_content_length: v.boolean(),
  }),
  'rate-limiting': v.strictObject({
    minute: v.pipe(v.number(), v.minValue(1)),
    limit_by: v.picklist(['consumer', 'credential', 'ip', 'service', 'header', 'path', 'consumer-group']),
    policy: v.literal('redis'),
    fault_tolerant: v.literal(true),
    hide_client_headers: v.boolean(),
    redis,
  }),
  prometheus: v.strictObject({
    status_code_metrics: v.literal(true),
    latency_metrics: v.literal(true),
    bandwidth_metrics: v.literal(true),
    upstream_health_metrics: v.literal(false),
    per_consumer: v.boolean(),
  }),
  cors: v.strictObject({
    origins: v.array(v.string()),
    methods: v.array(method),
    headers: v.array(header),
    exposed_headers: v.array(header),
    credentials: v.boolean(),
    max_age: v.number(),
    preflight_continue: v.boolean(),
  }),
  'pre-function': phases,
  'post-function': phases,
} as const

const known: Readonly<Record<string, v.GenericSchema>> = configs

/** What is wrong with a plugin's configuration. */
export function pluginProblems(plugin: string, config: unknown): string[] {
  const schema = known[plugin]
  if (!schema) return [`${plugin} is no plugin that is known here`]
  const { issues = [] } = v.safeParse(schema, config)
  return issues.map((issue) => `${plugin}: ${v.getDotPath(issue)}: ${issue.message}`)
}

const plugin = v.pipe(
  v.strictObject({ name: v.string(), config: v.record(v.string(), v.unknown()) }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    for (const message of pluginProblems(dataset.value.name, dataset.value.config)) addIssue({ message })
  }),
)

const route = v.strictObject({
  name,
  methods: v.optional(v.pipe(v.array(method), v.minLength(1))),
  paths: v.pipe(v.array(path), v.length(1)),
  regex_priority: v.pipe(v.number(), v.integer(), v.minValue(0)),
  strip_path: v.literal(false),
  preserve_host: v.literal(false),
  plugins: v.optional(v.array(plugin)),
})

export const kongFile = v.strictObject({
  _format_version: v.literal('3.0'),
  _transform: v.literal(true),
  plugins: v.array(plugin),
  services: v.array(
    v.strictObject({
      name,
      url: v.pipe(v.string(), v.regex(/^http:\/\/[a-z-]+\.registrar\.svc\.cluster\.local$/)),
      connect_timeout: milliseconds,
      read_timeout: milliseconds,
      write_timeout: milliseconds,
      retries: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(32_767)),
      routes: v.array(route),
    }),
  ),
  routes: v.array(route),
  consumers: v.array(v.strictObject({ username: v.string() })),
})

export type KongFile = v.InferOutput<typeof kongFile>
export type KongRoute = v.InferOutput<typeof route>
