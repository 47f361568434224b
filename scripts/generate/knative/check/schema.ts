import { type Problem, pathOf } from './problem.ts'
import { watched } from './watched.ts'

/** The packages that carry the schemas of kinds, by group; Kubernetes' own have no entry. */
const packages: Readonly<Record<string, string>> = {
  'serving.knative.dev': '@kubernetes-models/knative',
  'eventing.knative.dev': '@kubernetes-models/knative',
  'keda.sh': '@kubernetes-models/keda',
  'external-secrets.io': '@kubernetes-models/external-secrets',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
}

/**
 * Versions that have no schema in the package, and the one whose schema is theirs as far as it is used here:
 * external-secrets.io/v1 is v1beta1 become stable, and its package for Node 20 ends with that.
 */
const sameAs: Readonly<Record<string, string>> = { 'external-secrets.io/v1': 'external-secrets.io/v1beta1' }

export interface Typed {
  readonly apiVersion: string
  readonly kind: string
}

/** What is wrong with an object by the schema of its kind: wrong types and values, missing fields, unknown fields. */
export async function schemaProblems(manifest: Typed): Promise<Problem[]> {
  const apiVersion = sameAs[manifest.apiVersion] ?? manifest.apiVersion
  const validate = await validatorOf(apiVersion, manifest.kind)
  if (!validate) {
    const text = `there is no schema of a ${manifest.kind} of ${manifest.apiVersion}`
    return [{ path: 'apiVersion', text }]
  }
  const { value, unknown } = watched({ ...manifest, apiVersion })
  return [...validate(value), ...unknown()]
}

type Validate = (value: object) => Problem[]

async function validatorOf(apiVersion: string, kind: string): Promise<Validate | undefined> {
  const [group = ''] = apiVersion.split('/')
  if (!/^[\w.-]+(\/\w+)?$/.test(apiVersion) || !/^\w+$/.test(kind)) return undefined
  const module: Record<string, unknown> = await import(
    `${packages[group] ?? 'kubernetes-models'}/${apiVersion}/${kind}`
  ).catch(() => ({}))
  const model = module[kind]
  if (typeof model !== 'function') return undefined
  // The method of the class, on the object itself: an instance would be a copy, which nobody could watch.
  const validate: unknown = Reflect.get(model.prototype, 'validate')
  if (typeof validate !== 'function') return undefined
  return (value) => {
    try {
      Reflect.apply(validate, value, [])
      return []
    } catch (error) {
      return problemsOf(error)
    }
  }
}

interface SchemaError {
  readonly instancePath: string
  readonly keyword: string
  readonly message?: string
  readonly params: { readonly missingProperty?: string }
}

function problemsOf(error: unknown): Problem[] {
  const errors = error instanceof Error && 'errors' in error ? error.errors : undefined
  if (!Array.isArray(errors)) throw error
  const list: readonly SchemaError[] = errors
  // What a field that may have one of several forms is in none of them is told once, not once a form.
  const formless = new Set(list.filter(({ keyword }) => keyword === 'oneOf').map((one) => one.instancePath))
  return list
    .filter(({ instancePath, keyword }) => keyword === 'oneOf' || !formless.has(instancePath))
    .map(({ instancePath, keyword, message, params }) => {
      const path = instancePath.split('/').slice(1).map(unescaped)
      const missing = params.missingProperty
      if (missing !== undefined) return { path: pathOf([...path, missing]), text: 'is missing' }
      const text = keyword === 'oneOf' ? 'has none of the forms that are allowed' : (message ?? keyword)
      return { path: pathOf(path), text }
    })
}

/** A part of a JSON pointer. */
const unescaped = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~')
