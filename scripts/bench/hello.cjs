// What everything is measured against: the least that a Node process can be and still answer HTTP.
'use strict'
const { createServer } = require('node:http')

const server = createServer((_request, response) => response.end('hello'))
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  process.send?.({ type: 'ready', port: server.address().port })
})
process.on('SIGTERM', () => process.exit(0))
process.on('disconnect', () => process.exit(0))
