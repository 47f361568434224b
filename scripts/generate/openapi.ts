import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DiscoveredFunction } from '../../shared/spec/discover.ts'
import { headerParameters, headers } from './openapi-headers.ts'
import { description } from './openapi-info.ts'
import {
  type Declared,
  failuresOf,
  notModified,
  operationObject,
  securityName,
} from './openapi-operations.ts'
import { problemResponses, problemSchema } from './openapi-problems.ts'
import { Schemas } from './openapi-schemas.ts'

/** openapi.json: every operation of the declarations that answers something described. */
export async function openapi(root: string, functions: readonly DiscoveredFunction[]): Promise<string> {
  const { version }: { version: string } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const all = functions.flatMap(operationsOf).sort(inOrder)
  const operations = all.map(({ operation }) => operation)
  const schemas = new Schemas(operations)
  const document = {
    openapi: '3.1.0',
    'x-generated': 'by npm run generate from the declarations in functions/: do not edit',
    info: { title: 'Registrar API', version, description, license: { name: 'MIT', identifier: 'MIT' } },
    security: [{ [securityName]: [] }],
    tags: tagsOf(all),
    paths: pathsOf(all, schemas),
    components: {
      schemas: { ...schemas.components(), Problem: problemSchema },
      responses: { NotModified: notModified, ...problemResponses(new Set(operations.flatMap(failuresOf))) },
      parameters: headerParameters,
      headers,
      securitySchemes: {
        [securityName]: {
          type: 'apiKey',
          in: 'header',
          name: 'x-api-key',
          description: 'Or in the header `apikey`, or under either name in a JSON body; never in the query.',
        },
      },
    },
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

/** Files of a page are nobody's interface: an operation that answers 200 without a schema is left out. */
function operationsOf({ name, declaration: { trigger } }: DiscoveredFunction): Declared[] {
  if (trigger.kind !== 'http') return []
  return Object.entries(trigger.operations)
    .filter(([, { success }]) => success.status !== 200 || success.body)
    .map(([operation, declared]) => ({ service: name.service, name: operation, operation: declared }))
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** By path, and by method as people expect them. */
function inOrder({ operation: a }: Declared, { operation: b }: Declared): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1
  return methods.indexOf(a.method) - methods.indexOf(b.method)
}

/** The services, those that anybody may read last. */
function tagsOf(all: readonly Declared[]): { readonly name: string }[] {
  const open = (service: string): boolean =>
    all.every((one) => one.service !== service || one.operation.public === true)
  const services = [...new Set(all.map(({ service }) => service))].sort()
  return [...services.filter((one) => !open(one)), ...services.filter(open)].map((name) => ({ name }))
}

function pathsOf(all: readonly Declared[], schemas: Schemas): Record<string, Record<string, unknown>> {
  const paths = new Map<string, Record<string, unknown>>()
  const ids = new Set<unknown>()
  for (const declared of all) {
    const { method, path } = declared.operation
    const object = operationObject(declared, schemas)
    const { operationId } = object
    if (ids.has(operationId)) throw new Error(`two operations are ${String(operationId)}`)
    ids.add(operationId)
    const item = paths.get(path) ?? {}
    paths.set(path, item)
    const key = method.toLowerCase()
    if (key in item) throw new Error(`${method} ${path} is declared twice`)
    item[key] = object
  }
  return Object.fromEntries(paths)
}
