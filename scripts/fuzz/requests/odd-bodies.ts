import fc from 'fast-check'
import { bytesOf } from '../shot.ts'

const deep = (open: string, close: string, levels: number): string =>
  open.repeat(levels) + close.repeat(levels)

/** JSON that is none, or more than its readers like. */
export const oddBody = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      ' ',
      'null',
      '[]',
      '"a"',
      '1',
      'NaN',
      '{',
      '{"a":1,}',
      "{'a':1}",
      '{}{}',
      '\ufeff{}',
      '{"a":01}',
      '{"name":"\n"}',
    ].map(bytesOf),
    ...[
      '{"__proto__":{"x":1}}',
      '{"constructor":{"prototype":{"x":1}}}',
      '{"name":1,"name":2,"name":3}',
      '{"\\u0000":1}',
    ],
    ...[
      '{"name":1e999}',
      '{"attributes":{"n":123456789012345678901234567890}}',
      '{"attributes":{"n":-0.0e-999}}',
      '{"name":"\\ud800"}',
    ],
    ...['\xff\xfe', '{"name":"\xc0\x80"}', '{"name":"\xed\xa0\x80abc"}', '\x00\x00\x00'],
    deep('[', ']', 20_000),
    deep('{"a":', '}', 9000).replace('}', '1}'),
    `{"attributes":${deep('{"a":', '}', 60).replace('}', '1}')}}`,
    `{"name":"${'a'.repeat(70_000)}"}`,
    `{"name":"${'a'.repeat(60_000)}"}`,
    `{"attributes":{${Array.from({ length: 3000 }, (_, i) => `"k${i}":${i}`).join()}}}`,
    `{"student_ids":[${Array.from({ length: 3000 }, () => '0').join()}]}`,
    `{"${'$'.repeat(500)}":1}`,
  ),
  fc.json().map(bytesOf),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
)
