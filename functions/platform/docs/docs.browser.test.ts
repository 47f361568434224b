import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import openapi from '../../../openapi.json' with { type: 'json' }
import { httpApp } from '../../../shared/hosts/http-app.ts'
import { nodeHttpServer } from '../../../shared/hosts/node-http.ts'
import declaration from './function.ts'
import handler from './handler.ts'

const executablePath = '/usr/bin/chromium'
const there = existsSync(executablePath)

/** Nothing that the browser does on its own behalf, and no name but loopback's address is known to it. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
]

const operations = Object.values(openapi.paths).flatMap((item) =>
  Object.values(item).map(({ operationId }) => operationId),
)

test('there is a browser', ({ skip }) => {
  if (there) return
  const message = `The page was NOT tried in a browser: there is no ${executablePath} (apt-get install -y chromium).`
  if (process.env['CI']) throw new Error(message)
  process.stderr.write(`\n${'!'.repeat(message.length)}\n${message}\n${'!'.repeat(message.length)}\n`)
  skip(message)
})

describe.runIf(there)('the page in a browser', () => {
  const server = nodeHttpServer(httpApp({ name: 'platform/docs', declaration, handlers: handler() }))
  let origin: string
  let browser: Browser
  let folder: string
  let page: Page
  const requested: URL[] = []
  const complaints: string[] = []

  // Loaded once: on a small machine that is what takes the time.
  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    browser = await chromium.launch({ executablePath, headless: true, args: flags })
    // Beside the folder of the test run, which goes with it: people look at the pictures afterwards.
    folder = await mkdtemp(join(dirname(tmpdir()), 'registrar-docs-'))
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    page.on('request', (request) => requested.push(new URL(request.url())))
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`))
    await page.goto(`${origin}/api/docs`)
    await page.locator('.opblock').last().waitFor()
  })

  afterAll(async () => {
    await browser?.close()
    server.closeAllConnections()
    server.close()
  })

  afterEach(() => {
    expect(requested.filter((url) => url.origin !== origin && url.protocol !== 'data:')).toEqual([])
    expect(complaints).toEqual([])
  })

  const block = (operationId: string) => page.locator(`[id$="-${operationId}"].opblock`)

  /** Saves what the page looks like, and tells how many colours and bytes it has. */
  const picture = async (name: string): Promise<{ file: string; colours: number; bytes: number }> => {
    const file = join(folder, `${name}.png`)
    const png = await page.screenshot({ fullPage: true })
    await writeFile(file, png)
    const blank = await browser.newPage()
    const colours = Number(await blank.evaluate(coloursOf(`data:image/png;base64,${png.toString('base64')}`)))
    await blank.close()
    return { file, colours, bytes: png.length }
  }

  test('shows its title and every operation', async () => {
    expect(await page.title()).toBe('Registrar API')
    expect(await page.locator('h1').innerText()).toContain('Registrar API')
    expect(await page.locator('.opblock').count()).toBe(operations.length)
    for (const operationId of operations) expect(await block(operationId).isVisible()).toBe(true)
    const { file, colours, bytes } = await picture('page')
    console.log(`screenshot: ${file}`)
    expect(bytes).toBeGreaterThan(50_000)
    expect(colours).toBeGreaterThan(100)
  })

  test('every operation opens, and nothing in it is beyond the viewer', { timeout: 180_000 }, async () => {
    for (const operationId of operations) {
      const toggle = block(operationId).locator('.opblock-summary-control')
      await toggle.click()
      await block(operationId).locator('.responses-table').waitFor()
      expect(await block(operationId).innerText()).not.toMatch(
        /could not render|resolver error|unknown type/i,
      )
      if (operationId === 'studentsCreate') {
        await block(operationId).getByText('Countess of Lovelace').first().waitFor()
        const { file, colours } = await picture('operation')
        console.log(`screenshot: ${file}`)
        expect(colours).toBeGreaterThan(100)
      }
      await toggle.click()
    }
  })

  test('a request that is tried carries the key', async () => {
    await page.route('**/api/students?*', (route) => route.fulfill({ json: { data: [], next_cursor: null } }))
    await page.locator('.btn.authorize').click()
    await page.locator('.modal-ux input').fill('the key')
    await page.locator('.modal-ux .authorize').click()
    await page.locator('.modal-ux .btn-done').click()
    await block('studentsList').locator('.opblock-summary-control').click()
    await block('studentsList').locator('.try-out__btn').click()
    const sent = page.waitForRequest('**/api/students?*')
    await block('studentsList').locator('.execute').click()
    expect((await sent).headers()['x-api-key']).toBe('the key')
    await block('studentsList').locator('.live-responses-table').getByText('next_cursor').waitFor()
  })
})

/** For the browser, which knows how to read a picture; as text, for its types are not the tests'. */
const coloursOf = (source: string): string => `(async () => {
  const image = new Image()
  image.src = ${JSON.stringify(source)}
  await image.decode()
  const context = new OffscreenCanvas(image.width, image.height).getContext('2d')
  context.drawImage(image, 0, 0)
  return new Set(new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer)).size
})()`
