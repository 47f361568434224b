import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { parse } from 'yaml'
import { readBase } from '../../generate/kong/base.ts'
import { scripts } from '../../generate/kong/lua.ts'
import { phasesOf } from '../../generate/kong/testing/lua.ts'
import { PlayedKong } from '../../generate/kong/testing/played-kong.ts'
import { kongFile } from '../../generate/kong/testing/schema.ts'

/** Knative's, at the node. */
export const ingress = 'http://10.99.0.1'

export interface Gateway extends AsyncDisposable {
  readonly url: string
}

/** kong.yml and kong/lua, played as the tests of kong/ do, in front of Knative's ingress, which knows functions by Host. */
export async function startGateway(root: string, key: string): Promise<Gateway> {
  const [base, lua, file] = await Promise.all([
    readBase(root),
    scripts(root),
    readFile(join(root, 'kong/kong.yml'), 'utf8').then((text) => v.parse(kongFile, parse(text))),
  ])
  const kong = new PlayedKong({
    file,
    phases: phasesOf(lua),
    keyNames: v.parse(v.array(v.string()), base.keyAuth.config['key_names']),
    key,
    upstream: new URL(ingress),
    byHost: true,
  })
  return { url: await kong.listen(), [Symbol.asyncDispose]: () => kong[Symbol.asyncDispose]() }
}
