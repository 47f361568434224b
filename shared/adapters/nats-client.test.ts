import { expect, it, onTestFinished, vi } from 'vitest'
import { natsUrl } from '../testing/engines.ts'
import { Wire } from '../testing/wire.ts'
import { NatsClient } from './nats-client.ts'

/** As NTP does with one that ran ahead. */
function setClockBack(): void {
  const real = Date.now.bind(Date)
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => real() - 3_600_000)
  onTestFinished(() => clock.mockRestore())
}

// scripts/patches: the driver as it is on npm asks the wall clock when it dialled last.
it('a connection that breaks comes back, although the clock was set back an hour meanwhile', async () => {
  await using wire = await Wire.to(natsUrl())
  await using client = new NatsClient({ url: wire.url, name: 'clock' })
  const connection = await client.connection()
  setClockBack()
  wire.cut()
  wire.release()
  const answers = (): Promise<boolean> =>
    connection.rtt().then(
      () => true,
      () => false,
    )
  await expect.poll(answers).toBe(true)
}, 60_000)

// As above, of heartbeats.
it('a pull that hears nothing any more is noticed, although the clock was set back an hour meanwhile', async () => {
  await using wire = await Wire.to(natsUrl())
  await using client = new NatsClient({ url: wire.url, name: 'clock' })
  const stream = `Clock-${process.pid}`
  const connection = await client.connection()
  const manager = await connection.jetstreamManager()
  await manager.streams.add({ name: stream, subjects: [`${stream}.>`] })
  onTestFinished(async () => {
    await using other = new NatsClient({ url: natsUrl(), name: 'clean' })
    await (await (await other.connection()).jetstreamManager()).streams.delete(stream)
  })
  await manager.consumers.add(stream, { durable_name: 'durable' })
  const consumer = await (await client.jetstream()).consumers.get(stream, 'durable')
  const pulled = await consumer.consume({ idle_heartbeat: 500, expires: 5000 })
  setClockBack()
  wire.hold()
  const heard: string[] = []
  void (async () => {
    for await (const { type } of await pulled.status()) heard.push(type)
  })().catch(() => {})
  await expect.poll(() => heard).toContain('heartbeats_missed')
  wire.release()
  pulled.stop()
}, 60_000)
