import { expect, it } from 'vitest'
import { Pods } from './pods.ts'

/** An event of a pod as the API server writes it. */
const event = (type: string, more: object = {}, status: object = {}): string =>
  JSON.stringify({
    type,
    object: {
      metadata: {
        uid: 'u',
        name: 'students-get-1',
        labels: { 'app.kubernetes.io/name': 'students-get' },
        ...more,
      },
      status,
    },
  })

const container = (name: string, id: string, state: object = {}, restartCount = 0) => ({
  name,
  containerID: `containerd://${id}`,
  restartCount,
  state,
})

it('knows when a pod came, was ready and went', () => {
  const pods = new Pods()
  pods.take(event('ADDED'), 1000)
  const statuses = [container('queue-proxy', 'q'), container('function', 'f')]
  const ready = {
    podIP: '10.0.0.1',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: statuses,
  }
  pods.take(event('MODIFIED', {}, ready), 2000)
  pods.take(event('MODIFIED', {}, ready), 2500)
  expect(pods.of('students-get')).toEqual([
    {
      name: 'students-get-1',
      slug: 'students-get',
      created: 1000,
      ready: 2000,
      ip: '10.0.0.1',
      container: 'f',
      restarts: 0,
      badEnds: new Set(),
    },
  ])
  pods.take(event('MODIFIED', { deletionTimestamp: 'now' }, ready), 3000)
  expect(pods.of('students-get')[0]?.leaving).toBe(true)
  pods.take(event('DELETED', {}, ready), 4000)
  expect(pods.of('students-get')).toEqual([])
  expect([...pods.all.values()][0]?.gone).toBe(4000)
})

it('keeps what ended badly, also of a container that was started again', () => {
  const pods = new Pods()
  const killed = { terminated: { reason: 'OOMKilled', exitCode: 137 } }
  const ended = { terminated: { reason: 'Completed', exitCode: 0 } }
  pods.take(
    event(
      'ADDED',
      {},
      { containerStatuses: [container('queue-proxy', 'q', ended), container('function', 'f', killed)] },
    ),
  )
  pods.take(event('MODIFIED', {}, { containerStatuses: [container('function', 'g', { running: {} }, 1)] }))
  const [pod] = pods.of('students-get')
  expect([pod?.restarts, [...(pod?.badEnds ?? [])]]).toEqual([1, ['function: OOMKilled (137)']])
})

it('leaves pods that are no function’s', () => {
  const pods = new Pods()
  pods.take(event('ADDED', { labels: { app: 'other' } }))
  expect(pods.all.size).toBe(0)
})
