/** What is asked for on a connection, as far as an answer can be held against it. */
export interface Ask {
  readonly method: string
  /** The path as openapi.json has it; undefined where it has none. */
  readonly path: string | undefined
  /** What the description says of the request: `valid` is not to be refused as wrong, `invalid` not to be taken. */
  readonly worth: 'valid' | 'invalid' | 'unknown'
}

/** Bytes for one connection, and what they ask for. */
export interface Shot {
  readonly family: 'valid' | 'nearly' | 'hostile' | 'framing'
  /** What is wrong with the framing, for the report. */
  readonly trick?: string
  /** Latin-1, one character for each byte; there is a pause after each but the last. */
  readonly pieces: readonly string[]
  /** Milliseconds. */
  readonly pause: number
  /** Whether the sending side is closed behind the last byte, once what is owed has come. */
  readonly ends: boolean
  /** One for each request, in their order. There are no more answers than these. */
  readonly asks: readonly Ask[]
  /** What nobody may be sure where it ends: one refusal at most, and the connection is closed. */
  readonly ambiguous?: boolean
}

/** How many answers must come: what is valid has one, whatever is behind it; a head that never came whole may have none. */
export function owedTo({ family, ends, asks }: Shot): number {
  const unsure = asks.findIndex(({ worth }) => worth !== 'valid')
  const sure = unsure < 0 ? asks.length : unsure
  return family === 'framing' && ends ? sure : Math.max(sure, 1)
}

/** Text as its UTF-8 bytes, one character for each. */
export const bytesOf = (text: string): string => Buffer.from(text).toString('latin1')

/** Bytes as a line that can be pasted behind `printf`. */
export function printable(bytes: string, most = 4000): string {
  const shown = JSON.stringify(bytes.slice(0, most)).replaceAll(
    /[\u007f-\uffff]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return bytes.length > most ? `${shown} and ${bytes.length - most} bytes more` : shown
}
