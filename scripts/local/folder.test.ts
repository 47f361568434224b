import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { aStudent } from './testing/client.ts'
import { Started } from './testing/fixture.ts'
import { WholeTree } from './testing/whole-tree.ts'

describe('a folder more', () => {
  test('is a function more, reached through the gateway', async () => {
    using own = new WholeTree()
    own.write(
      'functions/students/count/function.ts',
      `import * as v from 'valibot'
import { defineFunction } from '../../../shared/spec/define-function.ts'

export default defineFunction({
  summary: 'Counts the students on a page',
  trigger: {
    kind: 'http',
    operations: {
      count: {
        method: 'GET',
        path: '/api/students/count',
        summary: 'How many students the first page has',
        success: { status: 200, description: 'The number', body: v.object({ count: v.number() }), example: { count: 3 } },
      },
    },
  },
  needs: ['repository'],
})
`,
    )
    own.write(
      'functions/students/count/handler.ts',
      `import type { Dependencies } from '../wiring.ts'

export default ({ repository }: Dependencies<'repository'>) => ({
  count: async () => {
    const { items } = await repository.list({ limit: 200, sort: 'created_at', descending: false, filter: {} })
    return { body: { count: items.length } }
  },
})
`,
    )
    execFileSync(process.execPath, ['scripts/generate.ts'], { cwd: own.root })
    for (const file of ['kong/kong.yml', 'openapi.json']) {
      expect(readFileSync(`${own.root}/${file}`, 'utf8')).toContain('/api/students/count')
    }
    await using started = await new Started(own).ready()
    await aStudent(started)
    const response = await started.fetch('/api/students/count')
    expect([response.status, await response.json()]).toEqual([200, { count: 1 }])
    expect((await started.fetch('/api/students/count', { method: 'POST', body: '' })).status).toBe(405)
  }, 300_000)
})
