import { expect, it } from 'vitest'
import { askable, isRefusal, refusalsOf } from './verdict.ts'

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

it.each([
  [true, 'The Deployment "broken" is invalid: spec.selector: Required value'],
  [true, 'The CronJob "broken" is invalid: \n* spec.schedule: Required value\n* spec.x: Required value'],
  [
    true,
    'Error from server: failed to create typed patch object (default/broken; apps/v1, Kind=Deployment): .spec.x: field not declared in schema',
  ],
  [
    true,
    'Error from server (BadRequest): admission webhook "validation.webhook.serving.knative.dev" denied the request',
  ],
  [
    true,
    'error: resource mapping not found for name: "broken" namespace: "" from "broken.yaml": no matches for kind "Deployment" in version "apps/v3"',
  ],
  [
    false,
    'The connection to the server 10.99.0.1:6443 was refused - did you specify the right host or port?',
  ],
  [
    false,
    'error: error validating "broken.yaml": error validating data: failed to download openapi: Get "https://10.99.0.1:6443/openapi/v2": connection refused',
  ],
  [false, 'Error from server (Timeout): Timeout: request did not complete within requested timeout'],
  [false, 'Error from server: etcdserver: request timed out'],
  [false, 'Error from server (InternalError): Internal error occurred: failed calling webhook "validation"'],
])('takes for a refusal what the server says of the object alone: %s, %s', (refused, err) => {
  expect(isRefusal({ code: 1, out: '', err: `${err}\n` })).toBe(refused)
  expect(isRefusal({ code: 0, out: '', err: `${err}\n` })).toBe(false)
})
