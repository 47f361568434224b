import { parseAllDocuments, type Tags } from 'yaml'
import type { Manifest } from '../manifest.ts'
import type { Problem } from './problem.ts'
import { ruleProblems } from './rules.ts'
import { schemaProblems } from './schema.ts'

/**
 * The objects of a YAML file as Kubernetes reads it: version 1.1, where `no` is a boolean, without its dates.
 * @throws for what is no YAML, a key that is there twice included.
 */
export function documentsOf(yaml: string): Manifest[] {
  return parseAllDocuments(yaml, { version: '1.1', customTags: withoutDates, uniqueKeys: true }).flatMap(
    (document) => {
      const [error] = document.errors
      if (error) throw error
      const value: unknown = document.toJS()
      if (value === null || value === undefined) return []
      if (!isManifest(value))
        throw new Error(`an object without apiVersion and kind: ${JSON.stringify(value)}`)
      return [value]
    },
  )
}

const withoutDates = (tags: Tags): Tags =>
  tags.filter((tag) => typeof tag !== 'object' || tag.tag !== 'tag:yaml.org,2002:timestamp')

/** Everything that is wrong with an object. */
export async function problemsOf(manifest: Manifest): Promise<Problem[]> {
  return [...(await schemaProblems(manifest)), ...ruleProblems(manifest)]
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null) return false
  return (
    'apiVersion' in value &&
    typeof value.apiVersion === 'string' &&
    'kind' in value &&
    typeof value.kind === 'string'
  )
}
