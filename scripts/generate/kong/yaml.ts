import { stringify } from 'yaml'

/** Documents that readers of YAML 1.1 take for the same, as Kong, Kubernetes and Docker are: `off` is no boolean. */
export function yamlOf(...documents: readonly object[]): string {
  const options = { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false } as const
  return documents.map((one) => stringify(one, options)).join('---\n')
}
