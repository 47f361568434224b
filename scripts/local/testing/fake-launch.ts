import { join } from 'node:path'
import type { FunctionName } from '../../../shared/spec/names.ts'

export interface Command {
  readonly command: string
  readonly args: readonly string[]
}

/** How the function processes of a tree are started. */
export interface Launcher {
  /** Done once, while the engines start. */
  prepare(): Promise<void>
  launch(name: FunctionName): Command
}

/** From sources; `sources` are also what a watched run starts, whatever else there is. */
export function launcher(root: string, _options: { readonly sources: boolean }): Launcher {
  return {
    prepare: async () => {},
    launch: ({ full }) => ({ command: process.execPath, args: [join(root, 'shared/hosts/main.ts'), full] }),
  }
}
