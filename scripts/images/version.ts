import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'

/** Of package.json, for what is made of the tree. */
export async function versionOf(root: string): Promise<string> {
  const parsed: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  return v.parse(v.object({ version: v.string() }), parsed).version
}
