import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Copy, DockerfileParser, Keyword, type Instruction as Parsed } from 'dockerfile-ast'

/** One instruction with its variables filled in. */
export interface Instruction {
  readonly keyword: string
  readonly args: readonly string[]
  /** `--from` of a COPY. */
  readonly from?: string
}

export interface Stage {
  readonly name: string
  /** A stage, or the reference of an image. */
  readonly from: string
  readonly instructions: readonly Instruction[]
}

/** What a container of the image is started with. */
export interface ImageConfig {
  readonly Entrypoint: readonly string[]
  readonly WorkingDir: string
  readonly User: string
  readonly Env: readonly string[]
  readonly Labels: Readonly<Record<string, string>>
}

export class Dockerfile {
  readonly #instructions: readonly Parsed[]

  constructor(text: string) {
    this.#instructions = DockerfileParser.parse(text).getInstructions()
  }

  /** The default of an ARG before the first FROM. */
  argument(name: string): string {
    const value = this.#globals(new Map()).get(name)
    if (value === undefined) throw new Error(`the Dockerfile has no ARG ${name} before its first FROM`)
    return value
  }

  /** Every stage, as a build with these arguments sees it; the last is the image. */
  stages(given: ReadonlyMap<string, string>): readonly Stage[] {
    const globals = this.#globals(given)
    const stages: { name: string; from: string; instructions: Instruction[] }[] = []
    let scope = new Map<string, string>()
    for (const parsed of this.#instructions) {
      const keyword = parsed.getKeyword()
      const words = wordsOf(parsed)
      if (keyword === Keyword.FROM) {
        const [from = '', , name] = words
        stages.push({ name: name ?? `${stages.length}`, from: filled(from, globals), instructions: [] })
        scope = new Map()
      } else if (keyword === Keyword.ARG) {
        if (stages.length === 0) continue
        const [name, value] = assignment(words[0] ?? '')
        const known = given.get(name) ?? value ?? globals.get(name)
        if (known === undefined) throw new Error(`the build argument ${name} is not given`)
        scope.set(name, known)
      } else {
        const from = parsed instanceof Copy ? parsed.getFromFlag()?.getValue() : undefined
        stages.at(-1)?.instructions.push({
          keyword,
          args: words.map((word) => filled(word, scope)),
          ...(from ? { from } : {}),
        })
      }
    }
    return stages
  }

  /** Of the last stage, with what it takes over from those below it. */
  config(given: ReadonlyMap<string, string>): ImageConfig {
    const stages = this.stages(given)
    const chain: Stage[] = []
    for (let at = stages.at(-1); at; at = stages.find(({ name }) => name === at?.from)) chain.unshift(at)
    const all = chain.flatMap(({ instructions }) => instructions)
    const last = (keyword: string): readonly string[] =>
      all.findLast((one) => one.keyword === keyword)?.args ?? []
    const labels = all
      .filter(({ keyword }) => keyword === 'LABEL')
      .flatMap(({ args }) => args.map(assignment))
    return {
      Entrypoint: last('ENTRYPOINT'),
      WorkingDir: last('WORKDIR')[0] ?? '/',
      User: last('USER')[0] ?? '0',
      Env: all.filter(({ keyword }) => keyword === 'ENV').flatMap(({ args }) => args),
      Labels: Object.fromEntries(labels.map(([name, value]) => [name, value ?? ''])),
    }
  }

  #globals(given: ReadonlyMap<string, string>): Map<string, string> {
    const globals = new Map<string, string>()
    for (const parsed of this.#instructions) {
      if (parsed.getKeyword() === Keyword.FROM) break
      const [name, value] = assignment(wordsOf(parsed)[0] ?? '')
      const known = given.get(name) ?? value
      if (known !== undefined) globals.set(name, known)
    }
    return globals
  }
}

export async function readDockerfile(): Promise<Dockerfile> {
  return new Dockerfile(await readFile(join(import.meta.dirname, 'Dockerfile'), 'utf8'))
}

/** The words of an instruction, or the strings of its exec form. */
function wordsOf(parsed: Parsed): string[] {
  const text = parsed.getArgumentsContent() ?? ''
  if (text.startsWith('[')) {
    const strings: unknown = JSON.parse(text)
    if (Array.isArray(strings)) return strings.map(String)
  }
  return parsed.getArguments().map((one) => one.getValue())
}

function assignment(word: string): [name: string, value: string | undefined] {
  const at = word.indexOf('=')
  if (at < 0) return [word, undefined]
  return [word.slice(0, at), word.slice(at + 1).replace(/^"(.*)"$/, '$1')]
}

/** @throws Error for a variable that nobody set: a build would put nothing in its place. */
function filled(word: string, variables: ReadonlyMap<string, string>): string {
  return word.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = variables.get(name)
    if (value === undefined) throw new Error(`the Dockerfile uses ${name}, which is not set there`)
    return value
  })
}
