import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { objectAt } from './check/at.ts'
import { documentsOf } from './check/documents.ts'

const folder = join(import.meta.dirname, '../../../knative')
const example = documentsOf(await readFile(join(folder, 'base/secrets.example.yaml'), 'utf8'))

it('no file has a password in it', async () => {
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of files) {
    if (!entry.isFile()) continue
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8')
    const found = [...text.matchAll(/:\/\/[^\s/:@"']*:([^\s@/"']+)@/g)].map(([, password]) => password)
    expect([entry.name, found.filter((password) => password !== 'REPLACE_ME')]).toEqual([entry.name, []])
  }
  const values = example.flatMap((secret) => Object.entries(objectAt(secret, 'stringData')))
  for (const [, value] of values) expect(value).toContain('REPLACE_ME')
})
