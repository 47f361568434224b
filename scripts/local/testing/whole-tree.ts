import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const repository = join(import.meta.dirname, '../../..')

/** A copy of the whole tree, functions and bundles included, in a folder of its own. */
export class WholeTree implements Disposable {
  readonly root: string
  readonly dataDir: string
  readonly journal: string

  constructor() {
    this.root = mkdtempSync(join(tmpdir(), 'registrar-whole-'))
    this.dataDir = join(this.root, '.registrar')
    this.journal = join(this.root, 'journal')
    const filter = (path: string): boolean => !path.endsWith('node_modules') && !path.endsWith('.test.ts')
    const parts = [
      'functions',
      'shared',
      'scripts',
      'kong',
      'proto',
      'dist',
      'openapi.json',
      'package.json',
      'package-lock.json',
    ]
    for (const part of parts) {
      cpSync(join(repository, part), join(this.root, part), { recursive: true, filter })
    }
    for (const folder of ['.', 'scripts/engines']) {
      symlinkSync(join(repository, folder, 'node_modules'), join(this.root, folder, 'node_modules'))
    }
  }

  write(path: string, content: string): void {
    const file = join(this.root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true, maxRetries: 10 })
  }
}
