import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builtOnce } from '../../engines/go.ts'
import { done } from '../ran.ts'

/** Docker's own programs, as modules of Go: a proxy of modules is to be had where its packages and its registry are not. */
const programs = {
  'docker-compose': { module: 'github.com/docker/compose/v2', version: 'v2.40.3', main: 'cmd' },
  buildx: { module: 'github.com/docker/buildx', version: 'v0.38.2', main: 'cmd/buildx' },
  buildkitd: { module: 'github.com/moby/buildkit', version: 'v0.34.2', main: 'cmd/buildkitd' },
} as const

export type Program = keyof typeof programs

export const versions = Object.entries(programs)
  .map(([name, { version }]) => `${name} ${version.slice(1)}`)
  .join(', ')

/** The path of one, built where it was not yet: a minute or two each. */
export async function program(name: Program, go: string, signal: AbortSignal): Promise<string> {
  const { module, version, main } = programs[name]
  return builtOnce([name, version], async (file) => {
    const dir = await mkdtemp(join(tmpdir(), `registrar-${name}-`))
    const run = (...args: string[]) =>
      done(go, args, { cwd: dir, signal, env: { GOFLAGS: '-buildvcs=false', GOWORK: 'off' } })
    try {
      // As the main module of none of ours, since `go install` takes no module with a replacement in it. What it depends on
      // is what its own go.mod says, and compared with the checksum database.
      await run('mod', 'init', 'registrar.invalid/tools')
      await run('get', `${module}/${main}@${version}`)
      await run('build', '-mod=mod', '-trimpath', '-ldflags=-s -w', '-o', file, `${module}/${main}`)
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  })
}
