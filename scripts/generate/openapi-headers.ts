/** Headers of answers, by their names. */
export const headers: Readonly<Record<string, unknown>> = {
  ETag: {
    description: 'Strong; changes exactly when the representation does. For If-Match and If-None-Match.',
    schema: { type: 'string' },
    example: '"v2"',
  },
  Location: {
    description: 'Path of what was created.',
    schema: { type: 'string', format: 'uri-reference' },
    example: '/api/students/01990458-013c-7c3e-9b1f-6d2a84c05e17',
  },
  Link: {
    description: 'The next page (RFC 8288), while there is one.',
    schema: { type: 'string' },
    example: '</api/students?limit=50&sort=created_at&cursor=SHVUb1hr>; rel="next"',
  },
  'Cache-Status': {
    description: 'Whether the answer came from the cache (RFC 9211).',
    schema: { type: 'string' },
    example: 'registrar; hit',
  },
  'Cache-Control': {
    description: 'A problem is never kept.',
    schema: { type: 'string' },
    example: 'no-store',
  },
  'Idempotency-Replayed': {
    description: 'On the answer that an earlier request with this Idempotency-Key was given.',
    schema: { type: 'string', const: 'true' },
  },
  'Retry-After': {
    description: 'Seconds to wait before the next try.',
    schema: { type: 'integer', minimum: 0 },
    example: 1,
  },
  'WWW-Authenticate': {
    description: 'How to show a key.',
    schema: { type: 'string' },
    example: 'Key realm="registrar"',
  },
  Allow: {
    description: 'The methods of this path.',
    schema: { type: 'string' },
    example: 'GET, HEAD, OPTIONS',
  },
  Accept: {
    description: 'The types that a body may have.',
    schema: { type: 'string' },
    example: 'application/json',
  },
}

/**
 * Headers of requests, by the names of their components. Without examples on purpose: a page where requests are tried
 * would send them.
 */
export const headerParameters: Readonly<Record<string, unknown>> = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'Makes a retry safe: for 24 hours, the same key with the same body is given the first answer again. ' +
      'Printable ASCII, bare or as a quoted string; given once.',
    schema: {
      type: 'string',
      minLength: 1,
      maxLength: 257,
      // Bare, or quoted with its escapes; a space neither begins nor ends it.
      pattern:
        '^(?:[!#-~](?:[ -~]{0,253}[!-~])?|' +
        '"(?:[!#-\\[\\]-~]|\\\\["\\\\])(?:(?:[ !#-\\[\\]-~]|\\\\["\\\\]){0,253}(?:[!#-\\[\\]-~]|\\\\["\\\\]))?")$',
    },
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description: 'Only if the ETag is still one of these, as in `"v2"`; `*` is any.',
    schema: { type: 'string' },
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'Answers 304 if the ETag is still one of these, as in `"v2"`.',
    schema: { type: 'string' },
  },
}

export const headerRefs = (names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))

export const parameterRef = (name: keyof typeof headerParameters): { readonly $ref: string } => ({
  $ref: `#/components/parameters/${name}`,
})
