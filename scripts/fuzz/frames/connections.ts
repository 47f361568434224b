import fc from 'fast-check'
import { asGet, framed, noise, shot, type Trick } from './trick.ts'

/** A request that breaks off, by a fraction of its bytes. */
export const truncated = fc.double({ min: 0, max: 1, noNaN: true }).map(
  (where): Trick => [
    'breaks off',
    (message) => {
      const one = asGet(message)
      const bytes = framed(one, {})
      return shot(one, bytes.slice(0, Math.floor(bytes.length * where)), { ends: true })
    },
  ],
)

export const slow = fc.integer({ min: 2, max: 40 }).map(
  (count): Trick => [
    'slowly',
    (message) => {
      const bytes = framed(message, {})
      const size = Math.ceil(bytes.length / count)
      return shot(
        message,
        Array.from({ length: count }, (_, i) => bytes.slice(i * size, (i + 1) * size)).filter(
          (one) => one !== '',
        ),
      )
    },
  ],
)

export const pipelined = fc
  .tuple(fc.nat(4), fc.oneof(fc.constantFrom('', 'garbage\r\n\r\n', '\r\n\r\n', '\0\0\0\0'), noise(60)))
  .map(
    ([more, tail]): Trick => [
      'pipelined',
      (message) => {
        const own = message.headers.filter((one) => /^(host|x-api-key):/i.test(one)).slice(0, 2)
        const health = ['GET /api/students/health HTTP/1.1', ...own, '', ''].join('\r\n')
        // Whatever comes behind them, they are answered: a key that is right for one is right for all.
        const worth = message.ask.worth === 'valid' && own.length === 2 ? 'valid' : 'unknown'
        const asks = Array.from(
          { length: more },
          () => ({ method: 'GET', path: '/api/students/health', worth }) as const,
        )
        const last = { method: 'GET', path: undefined, worth: 'unknown' as const }
        return shot(message, health.repeat(more) + framed(message, {}) + tail, {
          ends: true,
          asks: [...asks, { ...message.ask, worth: 'unknown' as const }, last],
        })
      },
    ],
  )
