import { connect, type JetStreamManager, NatsError, type StoredMsg } from 'nats'
import { natsAddress } from '../../../shared/adapters/nats-address.ts'
import { advisories, deadLetter, streams } from '../../../shared/messages/streams.ts'

export interface DeadLetter {
  readonly subject: string
  readonly reason: string
  /** What its payload begins with, as Latin-1. */
  readonly payload: string
}

export interface BrokerState {
  readonly waiting: Readonly<Record<string, number>>
  readonly deadLetters: readonly DeadLetter[]
}

/** What lies in the streams. */
export async function brokerState(url: string): Promise<BrokerState> {
  const connection = await connect({ ...natsAddress(url), timeout: 5000, reconnect: false })
  try {
    const manager = await connection.jetstreamManager({ timeout: 5000 })
    const names = [...Object.keys(streams), advisories.stream]
    const counts = await Promise.all(
      names.map(async (name) => [name, (await manager.streams.info(name)).state.messages] as const),
    )
    return { waiting: Object.fromEntries(counts), deadLetters: await letters(manager) }
  } finally {
    await connection.close()
  }
}

async function letters(manager: JetStreamManager): Promise<DeadLetter[]> {
  const { state } = await manager.streams.info(deadLetter.stream)
  const found: DeadLetter[] = []
  for (let seq = state.first_seq; state.messages > 0 && seq <= state.last_seq; seq++) {
    const letter = await stored(manager, seq)
    if (!letter) continue
    const said = (name: string): string => letter.header?.get(name) ?? ''
    const payload = Buffer.from(letter.data).toString('latin1').slice(0, 60)
    found.push({ subject: said('Registrar-Subject'), reason: said('Registrar-Reason'), payload })
  }
  return found
}

async function stored(manager: JetStreamManager, seq: number): Promise<StoredMsg | undefined> {
  try {
    return await manager.streams.getMessage(deadLetter.stream, { seq })
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404) return undefined
    throw error
  }
}
