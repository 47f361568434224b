// Finishes the folder of one image, by the Node that will run it: `node <the image's flags> finish.cjs <folder>`. The SBOM
// gets that Node's version, and the function its code caches: it is started and asked what warm.json says. There are no
// servers in a build, so each answer is that one is away; what V8 compiles until then is most of a cold start.
'use strict'
const { existsSync, readFileSync, writeFileSync } = require('node:fs')
const http1 = require('node:http')
const http2 = require('node:http2')
const { resolve } = require('node:path')

const folder = resolve(process.argv[2] ?? '')
const main = `${folder}/app/function/main.cjs`

nameNode(`${folder}/licenses/sbom.cdx.json`)
// What is no bundle has none.
if (existsSync(`${folder}/warm.json`)) warm(JSON.parse(readFileSync(`${folder}/warm.json`, 'utf8')))

function nameNode(file) {
  const bill = JSON.parse(readFileSync(file, 'utf8'))
  const node = bill.components.find(({ type, name }) => type === 'platform' && name === 'node')
  const [ref, own] = [node['bom-ref'], process.versions.node]
  for (const key of ['bom-ref', 'purl', 'cpe', 'version']) node[key] = node[key].replace(node.version, own)
  const renamed = (one) => (one === ref ? node['bom-ref'] : one)
  for (const one of bill.dependencies) {
    one.ref = renamed(one.ref)
    if (one.dependsOn) one.dependsOn = one.dependsOn.map(renamed)
  }
  writeFileSync(file, `${JSON.stringify(bill, null, 2)}\n`)
}

function warm({ serves, env, requests }) {
  Object.assign(process.env, env, { HOST: '127.0.0.1', PORT: '0' })
  process.argv[2] = main
  // start.cjs keeps what it compiled only where something was invoked, and where the end is a good one.
  globalThis[Symbol.for('registrar.invoked')] = true
  const { exit } = process
  process.exit = (code) => exit.call(process, serves ? code : 0)
  // As to a runner that forked it.
  process.send = (message, ...rest) => {
    const sent = rest.at(-1)
    if (typeof sent === 'function') sent()
    if (message.type === 'ready') void ask(message.port, requests)
    return true
  }
  setTimeout(() => exit.call(process, 1), 60_000).unref()
  require(`${folder}/app/start.cjs`)
  process.once('exit', () => {
    if (existsSync(`${main}.cache`)) return
    process.stderr.write(`${main} left no code cache\n`)
    process.exitCode = 1
  })
}

async function ask(port, requests) {
  for (const request of requests) {
    const status = await (request.http === 2 ? overHttp2 : overHttp1)(port, request)
    process.stderr.write(`${request.method} ${request.path}: ${status}\n`)
  }
  // What a function loads aside, when its first answer is out.
  setTimeout(() => process.kill(process.pid, 'SIGTERM'), 700)
}

function overHttp1(port, { method, path, headers, body }) {
  return new Promise((settle, reject) => {
    const request = http1.request({ host: '127.0.0.1', port, method, path, headers, agent: false })
    request.once('error', reject)
    request.once('response', (response) => {
      response.resume().once('end', () => settle(response.statusCode))
    })
    request.end(Buffer.from(body ?? '', 'base64'))
  })
}

function overHttp2(port, { method, path, headers, body }) {
  return new Promise((settle, reject) => {
    const session = http2.connect(`http://127.0.0.1:${port}`)
    session.once('error', reject)
    const stream = session.request({ ':method': method, ':path': path, ...headers })
    stream.once('error', reject)
    stream.once('response', (answer) =>
      stream.resume().once('end', () => session.close(() => settle(answer[':status']))),
    )
    stream.end(Buffer.from(body ?? '', 'base64'))
  })
}
