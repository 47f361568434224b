import { existsSync } from 'node:fs'
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
    const stale = [
      'knative/generated/functions/students-gone.yaml',
      'knative/base/observability/grafana/dashboards/gone.json',
      'shared/generated/registrar/v1/gone_pb.ts',
    ]
    for (const path of stale) await writeFile(join(copy, path), '')
    await rm(join(copy, 'knative/generated/workers'), { recursive: true })
    const workers = await readdir(join(root, 'knative/generated/workers'))
    const expected = [...workers.map((file) => `knative/generated/workers/${file}`), ...stale]
    expect((await generate(copy, false)).toSorted()).toEqual(expected.toSorted())
    await generate(copy, true)
    expect(await generate(copy, false)).toEqual([])
    for (const path of stale) expect(existsSync(join(copy, path)), path).toBe(false)
    expect(await readdir(join(copy, 'knative/generated/workers'))).toEqual(workers)
  } finally {
    await rm(copy, { recursive: true })
  }
})
