import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

type Phases = Readonly<Record<string, readonly string[]>>

/** Configurations of Kong's serverless plugins, by the files in kong/lua/. */
export interface Scripts {
  readonly before: Phases
  readonly after: Phases
  refusal(allow: string): Phases
}

export async function scripts(root: string): Promise<Scripts> {
  const read = (name: string): Promise<string> => readFile(join(root, 'kong/lua', `${name}.lua`), 'utf8')
  const [trace, admit, hide, refuse, head, body] = await Promise.all(
    ['trace', 'admit', 'hide', 'refuse', 'problem-head', 'problem-body'].map(read),
  )
  if (!trace || !admit || !hide || !refuse || !head || !body) throw new Error('a script in kong/lua is empty')
  return {
    // Kong runs those of one phase in this order.
    before: { access: [trace, admit], header_filter: [trace, head], body_filter: [body] },
    after: { access: [hide] },
    refusal: (allow) => ({ access: [refuse.replace('"ALLOW"', `"${allow}"`)] }),
  }
}
