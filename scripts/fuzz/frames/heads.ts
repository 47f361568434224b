import fc from 'fast-check'
import { asGet, framed, noise, shot, type Trick } from './trick.ts'

/** Headers that are none, too many or too long. */
export const headers = fc
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
export const lines = fc
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
        const whole = line.replace('%t', () => message.target).replace('%m', () => message.method)
        return shot(message, framed({ ...message, body: undefined }, { line: whole }), {
          ends: true,
          asks: [{ method: /^\s*HEAD /.test(whole) ? 'HEAD' : 'GET', path: undefined, worth: 'unknown' }],
        })
      },
    ],
  )

/** Line ends that are none, and bytes of other protocols. */
export const others = fc.oneof(
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
