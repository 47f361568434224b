import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { documentsOf, problemsOf } from './documents.ts'

const folder = join(import.meta.dirname, 'broken')

/** What is wrong with a file's objects, or with the file. */
async function refusal(yaml: string): Promise<string[]> {
  try {
    const problems = await Promise.all(documentsOf(yaml).map(problemsOf))
    return problems.flat().map(({ path, text }) => `${path}: ${text}`)
  } catch (error) {
    return [String(error)]
  }
}

it.each(await readdir(folder))('refuses %s for its one mistake, with its place', async (file) => {
  const yaml = await readFile(join(folder, file), 'utf8')
  const expected = /^# (.+)$/m.exec(yaml)?.[1] ?? 'its first line says what is wrong'
  expect(await refusal(yaml)).toEqual([expect.stringContaining(expected)])
})

it('refuses what is no object of Kubernetes, and kinds that it knows nothing of', async () => {
  expect(await refusal('kind: Service\n')).toEqual([expect.stringContaining('without apiVersion')])
  expect(await refusal('apiVersion: v1\nkind: Unknown\nmetadata: {name: a}\n')).toEqual([
    'apiVersion: there is no schema of a Unknown of v1',
  ])
  expect(await refusal('apiVersion: ../../v1\nkind: Pod\nmetadata: {name: a}\n')).toEqual([
    'apiVersion: there is no schema of a Pod of ../../v1',
  ])
})
