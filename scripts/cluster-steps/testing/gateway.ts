import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

/** Stands for Kong behind `kubectl port-forward`: at first it knows no route. */
const { stringData } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
let asked = 0
const server = createServer((request, response) => {
  const status = request.headers['x-api-key'] !== stringData.key ? 401 : asked++ === 0 ? 404 : 200
  response.writeHead(status).end('{}')
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object') console.log(`Forwarding from 127.0.0.1:${address?.port} -> 8000`)
})
