/** What a worker dies of, by the hook in preload.cjs. */
export const killerMark = 'chaos-kills-its-worker'

/** Bytes that no worker can decode: the first is a tag of no wire type. */
export const poison = (mark: string): Buffer => Buffer.from(`\x07chaos-poison ${mark} `, 'latin1')

/** Which poison a payload is. */
export function poisonOf(payload: string): string | undefined {
  return /^.chaos-poison (\S+) /s.exec(payload)?.[1]
}
