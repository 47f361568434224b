import fc from 'fast-check'

/** A value of a header that a client may send: no control characters. */
const headerText = fc
  .string({
    unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
    maxLength: 60,
  })
  .map((value) => value.replaceAll(/[\x7f\x80-\x9f]/g, '').trim())

/** A header that few clients send, or none. */
export const strangeHeader: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  fc.constantFrom<readonly [string, string]>(
    ['content-encoding', 'gzip'],
    ['content-encoding', 'identity, br'],
    ['expect', '100-continue'],
    ['expect', 'rain'],
    ['connection', 'close, x-api-key, content-type, traceparent'],
    ['connection', 'Upgrade'],
    ['upgrade', 'h2c'],
    ['te', 'trailers'],
    ['trailer', 'content-length'],
    ['range', 'bytes=0-0, -1'],
    ['accept', 'text/xml'],
    ['accept-encoding', 'gzip;q=nan'],
    ['x-consumer-username', 'somebody else'],
    ['x-forwarded-host', 'evil.example'],
    ['x-http-method-override', 'DELETE'],
    ['traceparent', '00-00000000000000000000000000000000-0000000000000000-00'],
    ['traceparent', `ff-${'a'.repeat(600)}`],
    ['tracestate', ','.repeat(600)],
    ['baggage', 'a='.repeat(400)],
    ['if-match', '"'.repeat(99)],
    ['if-none-match', 'W/"v1", *, "'],
    ['idempotency-key', '"a\\"b"'],
    ['idempotency-key', '"'],
    ['idempotency-key', 'k'.repeat(256)],
    ['content-type', 'application/json'],
    ['cookie', 'a='.repeat(2000)],
    ['host', 'evil.example:1'],
    ['x-api-key', 'another'],
    ['constructor', '1'],
    ['__proto__', '1'],
  ),
  fc.tuple(fc.stringMatching(/^[a-z!#$%&'*+.^_`|~-][a-z-]{0,12}$/), headerText),
  fc.tuple(
    fc.constantFrom('if-match', 'if-none-match', 'idempotency-key', 'accept', 'traceparent', 'content-type'),
    headerText,
  ),
)
