import { basename, join } from 'node:path'
import { Contrib, type Models } from '@cyclonedx/cyclonedx-library'
import type { LockedPackage } from './packages.ts'

const gatherer = new Contrib.License.Utils.LicenseEvidenceGatherer()

/**
 * The licences of all that is in an image, with their texts as the packages bring them, which most ask to be kept with
 * every copy; each text once.
 */
export function licenseList(root: string, packages: readonly LockedPackage[]): string {
  const sorted = [...packages].sort((a, b) => (a.name < b.name ? -1 : 1))
  const lines = sorted.map(({ name, version, license }) => `${name} ${version}: ${license ?? 'not said'}`)
  const holders = new Map<string, string[]>()
  for (const { folder, name } of sorted)
    for (const { file, text } of gatherer.getFileAttachments(join(root, folder))) {
      const content = contentOf(text).trim()
      holders.set(content, [...(holders.get(content) ?? []), `${name} (${basename(file)})`])
    }
  const texts = [...holders].map(([text, names]) => `${rule}\n${names.join(', ')}\n${rule}\n${text}\n`)
  return `${[...introduction, '', ...lines, '', ...texts].join('\n')}\n`
}

const introduction = [
  'What is in this image beside Registrar (MIT), with its licence. Node is under MIT, and brings parts under licences of',
  'their own: https://github.com/nodejs/node/blob/main/LICENSE. Those of the base image are in /usr/share/doc.',
]

const rule = '='.repeat(80)

const contentOf = ({ content, encoding }: Models.Attachment): string =>
  encoding === undefined ? `${content}` : Buffer.from(`${content}`, encoding).toString()
