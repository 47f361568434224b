import { describe, expect, it } from 'vitest'
import { Api, expectProblem } from './expect.ts'
import { type Service, services } from './services.ts'
import type { Target } from './target.ts'

/** Which methods there are on which paths. */
export function methods(target: () => Target): void {
  describe.each(services)('paths of $name', (service: Service) => {
    const api = () => new Api(target(), service)

    it('answers 404 where there is nothing, a trailing slash included', async () => {
      const { id } = await api().create()
      for (const path of [
        '/',
        `/${id}/`,
        `//${id}`,
        `/${id}/nothing`,
        `/${id}/${service.related}/`,
        '/health/',
      ]) {
        expectProblem(await api().get(path), 'not_found')
      }
    })

    it('answers a wrong method with 405 and Allow, and OPTIONS with Allow', async () => {
      const { id } = await api().create()
      for (const [path, wrong, right] of [
        ['', ['PUT', 'PATCH', 'DELETE'], ['GET', 'HEAD', 'POST']],
        [`/${id}`, ['POST'], ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']],
        [`/${id}/${service.related}`, ['POST', 'DELETE'], ['GET', 'HEAD']],
        ['/health', ['POST', 'PUT', 'DELETE'], ['GET', 'HEAD']],
      ] as const) {
        for (const method of [...wrong, 'OPTIONS']) {
          const reply = await api().send(method, path)
          if (method === 'OPTIONS') expect([reply.status, reply.text]).toEqual([204, ''])
          else expectProblem(reply, 'method_not_allowed')
          // A function knows those that it serves itself, the gateway those of all.
          const allowed = String(reply.headers['allow']).split(', ')
          expect([...right, 'OPTIONS']).toEqual(expect.arrayContaining(allowed))
          expect(allowed.length).toBeGreaterThan(1)
        }
      }
    })

    it('answers HEAD as GET, without the body', async () => {
      const { id } = await api().create()
      for (const path of ['', '?limit=1', `/${id}`, '/health', `/${service.absentId()}`, '?nonsense=1']) {
        const [got, head] = [await api().get(path), await api().send('HEAD', path)]
        expect([head.status, head.text]).toEqual([got.status, ''])
        const { date: _, 'cache-status': __, connection: ___, ...headers } = got.headers
        const same = Object.entries(headers).filter(([name]) => !/^(keep-alive|x-|via)/.test(name))
        expect(head.headers).toMatchObject(Object.fromEntries(same))
        expect(Number(head.headers['content-length'])).toBeGreaterThan(0)
      }
    })
  })
}
