import { expect, it } from 'vitest'
import { askable, refusalsOf } from './verdict.ts'

const kinds = `configmaps   cm     v1                              true    ConfigMap
deployments  deploy apps/v1                         true    Deployment
services     kservice,ksvc serving.knative.dev/v1   true    Service
`

it('asks about what is of a group that the server has, whatever its version', () => {
  const [map, deployment, service, trigger] = [
    { apiVersion: 'v1', kind: 'ConfigMap' },
    { apiVersion: 'apps/v3', kind: 'Deployment' },
    { apiVersion: 'serving.knative.dev/v1', kind: 'Service' },
    { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger' },
  ]
  expect(askable([map, deployment, service, trigger], kinds)).toEqual({
    asked: [map, deployment, service],
    unknown: [trigger],
  })
})

it('takes nothing but a line for each object, and no word beside, for acceptance', () => {
  const out =
    'configmap/a serverside-applied (server dry run)\nservice/b serverside-applied (server dry run)\n'
  expect(refusalsOf({ code: 0, out, err: '' }, 2)).toEqual([])
  expect(refusalsOf({ code: 0, out, err: '' }, 3)).toEqual([
    'of 3 objects 2 were taken, and kubectl ended with 0',
  ])
  expect(refusalsOf({ code: 1, out: '', err: 'Error from server: no\n' }, 1)).toEqual([
    'Error from server: no',
  ])
  expect(
    refusalsOf({ code: 0, out, err: 'Warning: would violate PodSecurity "restricted"\n' }, 2),
  ).toHaveLength(1)
  // Really applied, not tried.
  expect(refusalsOf({ code: 0, out: 'configmap/a serverside-applied\n', err: '' }, 1)).toHaveLength(1)
})
