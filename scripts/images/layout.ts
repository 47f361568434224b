import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { type Instruction, readDockerfile, type Stage } from './dockerfile.ts'

const run = promisify(execFile)

/** Where distroless has it. */
const nodeInImage = '/nodejs/bin/node'

export interface LayoutOptions {
  /** `dist/images` */
  readonly context: string
  /** Build arguments: FUNCTION, and what differs from the defaults. */
  readonly args: Readonly<Record<string, string>>
  /** Becomes the root of the image's file system. */
  readonly dir: string
  /** Whether Node and its libraries are laid too, from this machine. */
  readonly base?: boolean
}

/**
 * Lays an image's root file system out as a build of the Dockerfile would, without Docker: by the same instructions, with
 * the Node that runs this in the place of the base image's.
 */
export async function layOut({ context, args, dir, base = true }: LayoutOptions): Promise<void> {
  const stages = (await readDockerfile()).stages(new Map(Object.entries(args)))
  const image = stages.at(-1)
  if (!image) throw new Error('the Dockerfile has no stage')
  await mkdir(dir, { recursive: true })
  await chmod(dir, 0o755)
  if (base) await layBase(dir)
  await new Layout(context, stages).lay(image, dir)
}

class Layout {
  readonly #context: string
  readonly #stages: readonly Stage[]

  constructor(context: string, stages: readonly Stage[]) {
    this.#context = context
    this.#stages = stages
  }

  /** A stage with all that it is built on. */
  async lay({ from, instructions }: Stage, dir: string): Promise<void> {
    const below = this.#stages.find(({ name }) => name === from)
    if (below) await this.lay(below, dir)
    for (const one of instructions) await this.#carryOut(one, dir)
  }

  async #carryOut(instruction: Instruction, dir: string): Promise<void> {
    const { keyword, args, from } = instruction
    if (keyword === 'COPY') {
      if (from === undefined) return copy(this.#context, args, dir)
      const stage = this.#stages.find(({ name }) => name === from)
      if (!stage) throw new Error(`COPY --from=${from}: there is no such stage`)
      const other = await mkdtemp(join(tmpdir(), 'registrar-stage-'))
      try {
        await this.lay(stage, other)
        await copy(other, args, dir)
      } finally {
        await rm(other, { recursive: true, force: true })
      }
    } else if (keyword === 'RUN') await runIn(dir, args)
    else if (keyword === 'WORKDIR') await mkdir(join(dir, args[0] ?? ''), { recursive: true })
  }
}

/** As COPY does: of a folder what is in it. */
async function copy(base: string, args: readonly string[], dir: string): Promise<void> {
  const to = args.at(-1) ?? ''
  for (const from of args.slice(0, -1)) {
    const source = join(base, from)
    const inFolder = to.endsWith('/') && (await stat(source)).isFile()
    const target = join(dir, to, inFolder ? (from.split('/').at(-1) ?? '') : '')
    await mkdir(dirname(target), { recursive: true })
    await cp(source, target, { recursive: true })
  }
}

/** The image's Node is this one, and its paths are below the folder. */
async function runIn(dir: string, [command, ...args]: readonly string[]): Promise<void> {
  if (command !== nodeInImage) throw new Error(`RUN ${command}: there is nothing but Node in the image`)
  const mapped = args.map((one) => (one.startsWith('/') ? join(dir, one) : one))
  await run(process.execPath, mapped, { cwd: dir, env: {}, maxBuffer: 64 << 20 })
}

/** What there is of distroless' nodejs: Node, the libraries that it loads, /tmp and the user. */
export async function layBase(dir: string): Promise<void> {
  const node = await realpath(process.execPath)
  await mkdir(join(dir, dirname(nodeInImage)), { recursive: true })
  await cp(node, join(dir, nodeInImage))
  const { stdout } = await run('ldd', [node])
  for (const [library] of stdout.matchAll(/\/\S+/g)) {
    await mkdir(join(dir, dirname(library)), { recursive: true })
    await cp(await realpath(library), join(dir, library))
  }
  await mkdir(join(dir, 'tmp'), { recursive: true })
  await chmod(join(dir, 'tmp'), 0o1777)
  await mkdir(join(dir, 'etc'), { recursive: true })
  await writeFile(
    join(dir, 'etc/passwd'),
    'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n',
  )
  await writeFile(join(dir, 'etc/group'), 'root:x:0:\nnonroot:x:65532:\n')
}
