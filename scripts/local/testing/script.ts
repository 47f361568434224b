import { spawn } from 'node:child_process'
import { join } from 'node:path'

const repository = join(import.meta.dirname, '../../..')

/** Runs a script of the repository as people do: nothing of this process reaches it but the command line. */
export async function runScript(
  path: string,
  ...args: string[]
): Promise<{ code: number | null; said: string }> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [path, ...args], { cwd: repository, env: { PATH, HOME } })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
    })
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, said }
}
