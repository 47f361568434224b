import fc from 'fast-check'
import { ambiguous, chunks, shortBody } from './frames/bodies.ts'
import { pipelined, slow, truncated } from './frames/connections.ts'
import { headers, lines, others } from './frames/heads.ts'
import type { Trick } from './frames/trick.ts'

/** Every way in which framing can be broken, unusual or a trap. */
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
