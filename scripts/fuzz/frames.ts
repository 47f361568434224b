import fc from 'fast-check'
import { chunksOf, type Message } from './render.ts'
import type { Shot } from './shot.ts'

/** Makes of a well-framed request one whose framing is broken, unusual or a trap. */
export type Trick = readonly [name: string, play: (message: Message) => Shot]

interface Framing {
  readonly line?: string
  readonly headers?: readonly string[]
  readonly body?: string
  /** Behind the request, on the same connection. */
  readonly tail?: string
  readonly end?: string
}

/** The bytes of a request with another framing; its own goes where `headers` give one. */
function framed(message: Message, { line, headers = [], body, tail = '', end = '\r\n' }: Framing): string {
  const { method, target } = message
  const content = body ?? message.body ?? ''
  const own = headers.some((one) => /^\s*(content-length|transfer-encoding)/i.test(one))
  const lines = [
    line ?? `${method} ${target} HTTP/1.1`,
    ...message.headers,
    ...headers,
    ...(own || content === '' ? [] : [`Content-Length: ${content.length}`]),
    '',
    '',
  ]
  return lines.join(end) + content + tail
}

/** Of a head that nobody may understand, a refusal has a body whatever its method was. */
const asGet = (message: Message): Message =>
  message.method === 'HEAD' ? { ...message, method: 'GET', ask: { ...message.ask, method: 'GET' } } : message

function shot(message: Message, bytes: string | readonly string[], more: Partial<Shot> = {}): Shot {
  const pieces = typeof bytes === 'string' ? [bytes] : bytes
  return {
    family: 'framing',
    pieces,
    pause: 1,
    ends: false,
    asks: [{ ...message.ask, worth: 'unknown' }],
    ...more,
  }
}

const aBody = '{"name":"abc"}'
const smuggled = 'GET /api/students/health HTTP/1.1\r\nHost: a\r\n\r\n'
const chunked = 'Transfer-Encoding: chunked'

/** Lengths that contradict each other, or are none: whoever guesses lets requests be smuggled. */
const ambiguous = fc
  .constantFrom<readonly [string, readonly string[]]>(
    ['two lengths', ['Content-Length: 5', 'Content-Length: 14']],
    ['a list of lengths', ['Content-Length: 14, 5']],
    ['a length and chunks', ['Content-Length: 14', chunked]],
    ['chunks and a length', [chunked, 'Content-Length: 0']],
    ['chunks not last', ['Transfer-Encoding: chunked, identity']],
    ['chunks spelled otherwise', ['Transfer-Encoding: xchunked']],
    ['chunks in quotes', ['Transfer-Encoding: "chunked"']],
    ['chunks behind a space', ['Transfer-Encoding : chunked']],
    ['chunks behind a vertical tab', ['Transfer-Encoding: \x0bchunked']],
    ['chunks beside none', [chunked, 'Transfer-Encoding: identity']],
    ['a negative length', ['Content-Length: -1']],
    ['a length with a sign', ['Content-Length: +14']],
    ['a length in hexadecimal', ['Content-Length: 0xe']],
    ['a length beyond all integers', ['Content-Length: 99999999999999999999']],
    ['a length of spaces', ['Content-Length: 1 4']],
    ['a length behind a space', ['Content-Length : 14']],
  )
  .map(
    ([name, headers]): Trick => [
      name,
      (message) => {
        const one = { ...message, method: 'POST' }
        const body = headers.includes(chunked) ? chunksOf(aBody) : aBody
        return shot(
          { ...one, ask: { ...message.ask, method: 'POST' } },
          framed(one, { headers, body, tail: smuggled }),
          { ambiguous: true },
        )
      },
    ],
  )

/** Chunks that are none; what is behind them must not be taken for a request. */
const chunks = fc
  .constantFrom(
    ...[
      'zz\r\nabc\r\n0\r\n\r\n',
      '-1\r\nabc\r\n0\r\n\r\n',
      'ffffffffffffffffff\r\nabc\r\n',
      '3\r\nabcd\r\n0\r\n\r\n',
      '3 \r\nabc\r\n0\r\n\r\n',
    ],
    ...[
      '3\nabc\n0\n\n',
      '3\r\nabc0\r\n\r\n',
      '0x3\r\nabc\r\n0\r\n\r\n',
      '\r\n3\r\nabc\r\n0\r\n\r\n',
      '3;a="\r\n"\r\nabc\r\n0\r\n\r\n',
      '3\rabc\r0\r\r',
    ],
    `3;${'a'.repeat(20_000)}\r\nabc\r\n0\r\n\r\n`,
    '0\r\nContent-Length: 5\r\nHost: b\r\n\r\n',
    '0\r\nbroken trailer\r\n\r\n',
    `0\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`,
    'e\r\n{"name":"abc"}\r\n0\r\n\r\n',
    `${'1\r\n{\r\n'.repeat(3000)}0\r\n\r\n`,
    `${'10000\r\n'}${'a'.repeat(65_536)}\r\n10000\r\n${'a'.repeat(65_536)}\r\n0\r\n\r\n`,
  )
  .map(
    (body): Trick => [
      `chunks like ${JSON.stringify(body.slice(0, 20))}`,
      (message) => shot(message, framed(message, { headers: [chunked], body }), { ends: true }),
    ],
  )

/** A request that breaks off, by a fraction of its bytes. */
const truncated = fc.double({ min: 0, max: 1, noNaN: true }).map(
  (where): Trick => [
    'breaks off',
    (message) => {
      const one = asGet(message)
      const bytes = framed(one, {})
      return shot(one, bytes.slice(0, Math.floor(bytes.length * where)), { ends: true })
    },
  ],
)

const shortBody = fc.nat(2000).map(
  (missing): Trick => [
    'a body shorter than its length',
    (message) => {
      const body = message.body ?? aBody
      return shot(
        message,
        framed(message, { headers: [`Content-Length: ${body.length + missing + 1}`], body }),
        { ends: true },
      )
    },
  ],
)

const slow = fc.integer({ min: 2, max: 40 }).map(
  (count): Trick => [
    'slowly',
    (message) => {
      const bytes = framed(message, {})
      const size = Math.ceil(bytes.length / count)
      return shot(
        message,
        Array.from({ length: count }, (_, i) => bytes.slice(i * size, (i + 1) * size)).filter(
          (one) => one !== '',
        ),
      )
    },
  ],
)

const pipelined = fc
  .tuple(fc.nat(4), fc.oneof(fc.constantFrom('', 'garbage\r\n\r\n', '\r\n\r\n', '\0\0\0\0'), noise(60)))
  .map(
    ([more, tail]): Trick => [
      'pipelined',
      (message) => {
        const own = message.headers.filter((one) => /^(host|x-api-key):/i.test(one)).slice(0, 2)
        const health = ['GET /api/students/health HTTP/1.1', ...own, '', ''].join('\r\n')
        // Whatever comes behind them, they are answered: a key that is right for one is right for all.
        const worth = message.ask.worth === 'valid' && own.length === 2 ? 'valid' : 'unknown'
        const asks = Array.from(
          { length: more },
          () => ({ method: 'GET', path: '/api/students/health', worth }) as const,
        )
        const last = { method: 'GET', path: undefined, worth: 'unknown' as const }
        return shot(message, health.repeat(more) + framed(message, {}) + tail, {
          ends: true,
          asks: [...asks, { ...message.ask, worth: 'unknown' as const }, last],
        })
      },
    ],
  )

function noise(maxLength: number): fc.Arbitrary<string> {
  return fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'))
}

/** Headers that are none, too many or too long. */
const headers = fc
  .oneof(
    fc.constantFrom<readonly string[]>(
      ['X: a\0b'],
      ['X\0: a'],
      ['X: a\rb'],
      ['X: a\r'],
      ['X: a\nY: b'],
      ['X: a\r\n folded'],
      [' X: begins with a space'],
      ['no colon'],
      [': no name'],
      ['X Y: a'],
      ['X\x7f: a'],
      ['X: \x01\x02'],
      ['\xff\xfe: a'],
      ['Host: another'],
      ['Host:'],
      ['Expect: 100-continue', 'Content-Length: 14'],
      [
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
        'Sec-WebSocket-Version: 13',
      ],
      ['Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
      [`X: ${'a'.repeat(15_000)}`],
      [`X: ${'a'.repeat(100_000)}`],
      [`${'X'.repeat(40_000)}: a`],
      Array.from({ length: 1500 }, (_, i) => `X${i}: ${i}`),
      Array.from({ length: 10_000 }, () => 'A: b'),
      Array.from({ length: 300 }, () => 'x-api-key: a'),
    ),
    noise(40).map((one) => [`X: ${one}`]),
    noise(40).map((one) => [one]),
  )
  .map(
    (headers): Trick => [
      `headers like ${JSON.stringify(headers[0]?.slice(0, 30))}`,
      (message) => {
        const one = asGet(message)
        return shot(one, framed(one, { headers }), { ends: true })
      },
    ],
  )

/** Lines that begin otherwise than requests do. */
const lines = fc
  .oneof(
    fc.constantFrom(
      ...[
        'GET %t HTTP/1.0',
        '%m %t HTTP/1.0',
        'GET %t',
        'GET %t HTTP/0.9',
        'GET %t HTTP/1.9',
        'GET %t HTTP/2.0',
        'GET %t HTTP/',
        'GET %t ICE/1.0',
      ],
      ...[
        'GET http://evil.example%t HTTP/1.1',
        'GET https://a:b@evil.example:1%t HTTP/1.1',
        'GET HTTP://%t HTTP/1.1',
        'GET file:///etc/passwd HTTP/1.1',
      ],
      ...[
        'OPTIONS * HTTP/1.1',
        'CONNECT evil.example:443 HTTP/1.1',
        'TRACE %t HTTP/1.1',
        'get %t HTTP/1.1',
        'GE T %t HTTP/1.1',
        'PRI * HTTP/2.0',
      ],
      ...[
        'GET  %t HTTP/1.1',
        'GET %t  HTTP/1.1',
        'GET %t HTTP/1.1 ',
        'GET\t%t\tHTTP/1.1',
        ' GET %t HTTP/1.1',
        '\r\n\r\nGET %t HTTP/1.1',
        '\0GET %t HTTP/1.1',
      ],
      ...[
        'GET /\xff\xfe HTTP/1.1',
        'GET /a b HTTP/1.1',
        'GET /\0 HTTP/1.1',
        'GET %t#f HTTP/1.1',
        'GET \\..\\.. HTTP/1.1',
        'GET evil HTTP/1.1',
        'GET ?a HTTP/1.1',
      ],
      `GET /${'a'.repeat(7000)} HTTP/1.1`,
      `GET /api/students?name=${'%41'.repeat(5000)} HTTP/1.1`,
      `GET /${'a'.repeat(80_000)} HTTP/1.1`,
      `${'G'.repeat(20_000)} / HTTP/1.1`,
    ),
    noise(60),
  )
  .map(
    (line): Trick => [
      `a line like ${JSON.stringify(line.slice(0, 30))}`,
      (message) => {
        const whole = line.replace('%t', message.target).replace('%m', message.method)
        return shot(message, framed({ ...message, body: undefined }, { line: whole }), {
          ends: true,
          asks: [{ method: /^\s*HEAD /.test(whole) ? 'HEAD' : 'GET', path: undefined, worth: 'unknown' }],
        })
      },
    ],
  )

/** Line ends that are none, and bytes of other protocols. */
const others = fc.oneof(
  fc
    .constantFrom('\n', '\r', '\r\r\n', '\n\r')
    .map(
      (end): Trick => [
        `lines that end with ${JSON.stringify(end)}`,
        (message) => shot(asGet(message), framed(asGet(message), { end }), { ends: true }),
      ],
    ),
  fc
    .oneof(
      fc.constantFrom(
        '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
        'SSH-2.0-x\r\n',
        '*1\r\n$4\r\nPING\r\n',
        'INFO {}\r\n',
        '\r\n'.repeat(500),
      ),
      noise(300),
    )
    .map(
      (bytes): Trick => [
        'another protocol',
        (message) =>
          shot(message, bytes, { ends: true, asks: [{ method: 'GET', path: undefined, worth: 'unknown' }] }),
      ],
    ),
  fc.constant<Trick>([
    'no Host',
    (message) =>
      shot(
        message,
        framed({ ...message, headers: message.headers.filter((one) => !/^host:/i.test(one)) }, {}),
        { ends: true },
      ),
  ]),
)

export const tricks: fc.Arbitrary<Trick> = fc.oneof(
  ambiguous,
  chunks,
  truncated,
  shortBody,
  slow,
  pipelined,
  headers,
  lines,
  others,
)
