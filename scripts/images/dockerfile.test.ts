import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bundleArguments } from '../build/current.ts'
import { readDockerfile } from './dockerfile.ts'
import { eventsArguments } from './events.ts'
import { bundleInImage } from './folder.ts'
import { events, onCall } from './name.ts'

const dockerfile = await readDockerfile()
const given = (slug: string, more: object = {}) => new Map(Object.entries({ FUNCTION: slug, ...more }))

describe('the Dockerfile', () => {
  const command = ['/nodejs/bin/node', ...bundleArguments('/app', bundleInImage)]

  it('starts a bundle as it is started everywhere, and makes its code cache with the same flags', () => {
    expect(dockerfile.config(given('a')).Entrypoint).toEqual(command)
    const [node = '', ...rest] = command
    expect(dockerfile.config(given('a', onCall)).Entrypoint).toEqual([node, '/app/on-call.cjs', ...rest])
    const flags = rest.filter((one) => one.startsWith('--'))
    expect(dockerfile.config(given('', events)).Entrypoint).toEqual([node, ...flags, ...eventsArguments])
    const runs = dockerfile.stages(given('a')).flatMap(({ instructions }) => instructions)
    expect(runs.filter(({ keyword }) => keyword === 'RUN').map(({ args }) => args)).toEqual([
      [node, ...flags, '/finish.cjs', '/image'],
    ])
  })

  it('runs as nobody, on distroless, with no shell and no health check', async () => {
    const text = await readFile(join(import.meta.dirname, 'Dockerfile'), 'utf8')
    expect(dockerfile.config(given('a'))).toMatchObject({ User: '65532:65532', WorkingDir: '/app' })
    expect(dockerfile.argument('BASE')).toMatch(
      /^gcr\.io\/distroless\/nodejs24-debian\d+:nonroot(@sha256:[0-9a-f]{64})?$/,
    )
    expect(text).not.toMatch(/^(HEALTHCHECK|SHELL|CMD|ADD)\b/m)
    expect(text).not.toMatch(/^(RUN|ENTRYPOINT) [^[]/m)
  })

  it('labels an image with what it is made of', () => {
    const made = { VERSION: '1.2.3', REVISION: 'abc', SOURCE: 'https://example.org/registrar' }
    expect(dockerfile.config(given('students-get', made)).Labels).toEqual({
      'org.opencontainers.image.title': 'students-get',
      'org.opencontainers.image.version': '1.2.3',
      'org.opencontainers.image.revision': 'abc',
      'org.opencontainers.image.source': 'https://example.org/registrar',
      'org.opencontainers.image.licenses': 'MIT',
      'registrar.function': 'students-get',
    })
  })

  it('has one stage of Node below all else', () => {
    const stages = dockerfile.stages(given('a'))
    const names = stages.map(({ name }) => name)
    expect(stages.filter(({ from }) => !names.includes(from)).map(({ name }) => name)).toEqual(['node'])
  })
})
