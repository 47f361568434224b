import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Contrib, Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library'
import { PackageURL } from 'packageurl-js'
import parseExpression from 'spdx-expression-parse'
import { type LockedPackage, resolveFrom } from './packages.ts'

export interface Billed {
  readonly root: string
  /** Of the image, which is the function's. */
  readonly slug: string
  readonly version: string
  /** Reference of the image that it is built on. */
  readonly base: string
  readonly packages: readonly LockedPackage[]
}

const { Component, ComponentRepository } = Models
const { ComponentType, HashAlgorithm } = Enums

const licenses = new Contrib.License.Factories.LicenseFactory(parseExpression)

/**
 * The image's bill of materials as CycloneDX 1.6 JSON, the same for the same sources: without a serial number or a time.
 * It names what is laid into the image, and Node; the packages of Debian below are in the base image's own files, which
 * scanners read.
 */
export function bill({ root, slug, version, base, packages }: Billed): string {
  const image = new Component(ComponentType.Container, slug, {
    bomRef: slug,
    version,
    licenses: new Models.LicenseRepository([licenses.makeFromString('MIT')]),
  })
  const own = new Map(packages.map((one) => [one.folder, componentOf(root, one)]))
  const folders = new Set(own.keys())
  const asked = new Set<string>()
  for (const { folder, dependencies } of packages)
    for (const name of dependencies) {
      const found = resolveFrom(folder, name, folders)
      const dependency = found === undefined ? undefined : own.get(found)
      if (found === undefined || !dependency) continue
      own.get(folder)?.dependencies.add(dependency.bomRef)
      asked.add(found)
    }
  const node = nodeComponent(process.versions.node)
  for (const [folder, component] of own) if (!asked.has(folder)) image.dependencies.add(component.bomRef)
  image.dependencies.add(node.bomRef)
  const bom = new Models.Bom({
    metadata: new Models.Metadata({ component: image }),
    components: new ComponentRepository([...own.values(), node, baseComponent(base)]),
  })
  const factory = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6)
  return `${new Serialize.JsonSerializer(factory).serialize(bom, { sortLists: true, space: 2 })}\n`
}

function componentOf(root: string, { folder, name, version, license, integrity }: LockedPackage) {
  const [group, short] = name.startsWith('@') ? split(name) : [undefined, name]
  const component = new Component(ComponentType.Library, short, {
    bomRef: folder,
    ...(group === undefined ? {} : { group }),
    version,
    purl: new PackageURL('npm', group, short, version, undefined, undefined).toString(),
  })
  if (license !== undefined) component.licenses.add(licenses.makeFromString(license))
  const digest = /^sha512-(.+)$/.exec(integrity ?? '')?.[1]
  if (digest) component.hashes.set(HashAlgorithm['SHA-512'], Buffer.from(digest, 'base64').toString('hex'))
  // Not what its archive holds any more.
  const patch = `scripts/patches/${name.replace('/', '+')}+${version}.patch`
  if (existsSync(join(root, patch))) component.properties.add(new Models.Property('registrar:patch', patch))
  return component
}

function split(name: string): [group: string, short: string] {
  const slash = name.indexOf('/')
  return [name.slice(0, slash), name.slice(slash + 1)]
}

/** finish.cjs puts in the version of the Node that is in the image. */
function nodeComponent(version: string) {
  return new Component(ComponentType.Platform, 'node', {
    bomRef: `node@${version}`,
    version,
    purl: `pkg:generic/node@${version}`,
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    licenses: new Models.LicenseRepository([licenses.makeFromString('MIT')]),
  })
}

function baseComponent(reference: string) {
  const [, name = reference, version] = /^([^@]+?)(?::([^/@]+))?(?:@.*)?$/.exec(reference) ?? []
  const digest = /@(sha256:[0-9a-f]{64})$/.exec(reference)?.[1]
  return new Component(ComponentType.Container, name, {
    bomRef: reference,
    ...(version === undefined ? {} : { version }),
    ...(digest === undefined
      ? {}
      : { purl: `pkg:oci/${name.slice(name.lastIndexOf('/') + 1)}@${digest.replace(':', '%3A')}` }),
  })
}
