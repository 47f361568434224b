import { cp, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { generate } from '../generate.ts'

const root = join(import.meta.dirname, '../..')

it('makes folders that are missing, and removes what no declaration asks for any more', async () => {
  const copy = await mkdtemp(join(tmpdir(), 'registrar-generate-'))
  try {
    // Everything that may be written is a copy.
    const written = ['knative', 'kong', 'shared', 'openapi.json', 'docker-bake.hcl']
    for (const entry of await readdir(root)) {
      if (written.includes(entry) || /^stack/.test(entry))
        await cp(join(root, entry), join(copy, entry), { recursive: true })
      else if (!entry.startsWith('.')) await symlink(join(root, entry), join(copy, entry))
    }
    await generate(copy, true)
    await writeFile(join(copy, 'knative/generated/functions/students-gone.yaml'), 'kind: Service\n')
    await rm(join(copy, 'knative/generated/workers'), { recursive: true })
    const workers = await readdir(join(root, 'knative/generated/workers'))
    const expected = [
      ...workers.map((file) => `knative/generated/workers/${file}`),
      'knative/generated/functions/students-gone.yaml',
    ]
    expect((await generate(copy, false)).toSorted()).toEqual(expected.toSorted())
    await generate(copy, true)
    expect(await generate(copy, false)).toEqual([])
    expect(await readdir(join(copy, 'knative/generated/functions'))).not.toContain('students-gone.yaml')
    expect(await readdir(join(copy, 'knative/generated/workers'))).toEqual(workers)
  } finally {
    await rm(copy, { recursive: true })
  }
})
