import { existsSync, type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'
import type { Output } from './output.ts'

/** An editor saves in several steps: they are one change. */
const settleMs = 50

/** Calls back after sources have changed. */
export function watchSources(root: string, output: Output, changed: () => void): Disposable {
  let timer: NodeJS.Timeout | undefined
  const watchers: FSWatcher[] = []
  for (const folder of ['functions', 'shared', 'proto']) {
    const path = join(root, folder)
    if (!existsSync(path)) continue
    const watcher = watch(path, { recursive: true }, (_event, file) => {
      if (file?.endsWith('.test.ts') || file?.endsWith('~')) return
      clearTimeout(timer)
      timer = setTimeout(() => {
        output.event('info', 'sources changed', { file: file ? `${folder}/${file}` : folder })
        changed()
      }, settleMs)
    })
    watcher.on('error', () => {})
    watchers.push(watcher)
  }
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer)
      for (const watcher of watchers) watcher.close()
    },
  }
}
