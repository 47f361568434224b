import fc from 'fast-check'
import { chunksOf } from '../render.ts'
import { framed, shot, type Trick } from './trick.ts'

const aBody = '{"name":"abc"}'
const smuggled = 'GET /api/students/health HTTP/1.1\r\nHost: a\r\n\r\n'
const chunked = 'Transfer-Encoding: chunked'

/** Lengths that contradict each other, or are none: whoever guesses lets requests be smuggled. */
export const ambiguous = fc
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
export const chunks = fc
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

export const shortBody = fc.nat(2000).map(
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
