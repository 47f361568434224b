import { describe, expect, it } from 'vitest'
import type { Method, Operation } from '../spec/define-function.ts'
import { matches } from './etag.ts'
import { pathPattern, router } from './routes.ts'

const operation = (method: Method, path: Operation['path']): Operation => ({
  method,
  path,
  summary: '',
  success: { status: 200, description: '' },
})

describe('router', () => {
  const find = router({
    get: operation('GET', '/api/a/{id}'),
    put: operation('PUT', '/api/a/{id}'),
    health: operation('GET', '/api/a/health'),
    docs: operation('GET', '/api/a.json'),
  })

  it('prefers a literal path to one with a parameter, whatever the method', () => {
    expect(find('GET', '/api/a/health')?.route?.name).toBe('health')
    expect(find('PUT', '/api/a/health')).toMatchObject({ route: undefined, allow: 'GET, HEAD, OPTIONS' })
  })

  it('serves HEAD where GET is, and says what there is', () => {
    expect(find('HEAD', '/api/a/1')).toMatchObject({ route: { name: 'get' }, params: { id: '1' } })
    expect(find('DELETE', '/api/a/1')).toMatchObject({ route: undefined, allow: 'GET, PUT, HEAD, OPTIONS' })
    expect(find('get', '/api/a/1')?.route).toBeUndefined()
  })

  it('matches whole raw paths', () => {
    for (const path of [
      '/api/a',
      '/api/a/',
      '/api/a/1/',
      '/x/api/a/1',
      '/api/axjson',
      '/api/a/1\n',
      '/api/a.json/',
      '',
    ]) {
      expect(find('GET', path)?.route?.name, path).toBe(path === '/api/a/1\n' ? 'get' : undefined)
    }
    expect(find('GET', '/api/a/%2F')?.params).toEqual({ id: '%2F' })
  })

  it('writes a path as a pattern that gateways take too', () => {
    expect(pathPattern('/api/a/{id}/b.json')).toBe('/api/a/(?<id>[^/]+)/b\\.json$')
  })
})

describe('matches', () => {
  it('finds a strong tag in a list, a weak one only where the comparison is weak', () => {
    for (const list of ['"v1"', ' "a" , "v1"', '"v1","b"', '*', ' * ']) {
      expect([matches(list, '"v1"', false), matches(list, '"v1"', true)]).toEqual([true, true])
    }
    expect([matches('W/"v1"', '"v1"', false), matches('W/"v1"', '"v1"', true)]).toEqual([false, true])
    for (const list of ['', 'v1', '"v10"', '"*"', '*, "a"', 'w/"v1"'])
      expect(matches(list, '"v1"', true)).toBe(false)
  })
})
