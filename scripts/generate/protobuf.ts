import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'

export const protobufFolder = 'shared/generated'

/** What buf makes of proto/, by its paths. Nothing is written to the tree here: what fails leaves it as it was. */
export async function protobuf(root: string): Promise<[string, string][]> {
  const folder = await mkdtemp(join(tmpdir(), 'registrar-buf-'))
  try {
    await promisify(execFile)(
      process.execPath,
      ['node_modules/@bufbuild/buf/bin/buf', 'generate', '--template', 'proto/buf.gen.yaml', '-o', folder],
      { cwd: root },
    )
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    const files = entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
    return await Promise.all(
      files.map(
        async (file): Promise<[string, string]> => [
          relative(folder, file).replaceAll('\\', '/'),
          await readFile(file, 'utf8'),
        ],
      ),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
