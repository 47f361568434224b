import { join } from 'node:path'
import type { FunctionName } from '../../shared/spec/names.ts'
import { bundleArguments, bundlesOf, ensureBundles } from '../build/current.ts'

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

/** From bundles with a code cache, as the images do; from the sources where they are watched. */
export function launcher(root: string, { sources }: { readonly sources: boolean }): Launcher {
  return sources ? fromSources(root) : fromBundles(root)
}

function fromSources(root: string): Launcher {
  return {
    prepare: async () => {},
    launch: ({ full }) => ({ command: process.execPath, args: [join(root, 'shared/hosts/main.ts'), full] }),
  }
}

function fromBundles(root: string): Launcher {
  const bundles = bundlesOf(root)
  return {
    prepare: async () => void (await ensureBundles(root)),
    launch: ({ full }) => ({
      command: process.execPath,
      args: bundleArguments(bundles, full),
    }),
  }
}
