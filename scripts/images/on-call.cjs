// A server for what runs to its end, for platforms that only call (OpenFaaS): `node on-call.cjs <arguments of Node>` runs
// that at each POST, and answers when it has ended: 200 where it did well, else 500; what it had to say is in the log
// alone. One run at a time: a call during one, as by a schedule that ticks too early, gets 503.
'use strict'
const { spawn } = require('node:child_process')
const { createServer } = require('node:http')

let running
let stopping = false

const server = createServer(async (request, response) => {
  const path = request.url.split('?')[0]
  const answer = (status, body) => {
    response.writeHead(status, { 'content-type': 'text/plain' })
    response.end(body)
  }
  request.resume()
  if (path === '/_/health') return answer(200, 'ok\n')
  if (path === '/_/ready') return stopping ? answer(503, 'draining\n') : answer(200, 'ready\n')
  if (request.method !== 'POST') return answer(405, 'a POST runs it\n')
  if (running || stopping) return answer(503, 'a run is under way\n')
  const code = await run()
  answer(code === 0 ? 200 : 500, code === 0 ? 'done\n' : 'failed: the log says why\n')
})

function run() {
  return new Promise((resolve) => {
    running = spawn(process.execPath, process.argv.slice(2), { stdio: ['ignore', 'inherit', 'inherit'] })
    const ended = (code) => {
      running = undefined
      resolve(code)
      if (stopping) stop()
    }
    running.once('error', () => ended(127))
    running.once('exit', ended)
  })
}

// A run is let to its end, which the platform's grace period bounds.
function stop() {
  stopping = true
  if (running) return
  server.close(() => process.exit(0))
  server.closeIdleConnections()
}

process.on('SIGTERM', stop)
process.on('SIGINT', stop)
server.listen(Number(process.env.PORT || 8080), process.env.HOST || undefined)
