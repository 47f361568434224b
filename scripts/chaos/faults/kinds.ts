/** Every fault by its name, in the order of the table at the end of a run, and what it does. */
export const faultKinds = {
  'kill-function': 'SIGKILL of a function that answers HTTP or lookups',
  'kill-worker': 'SIGKILL of a worker',
  'kill-sweeper': 'SIGKILL of a sweeper',
  'kill-postgres': 'SIGKILL of Postgres, or of one of its backends, and its restart',
  'kill-nats': 'SIGKILL of NATS and its restart',
  'kill-redis': 'SIGKILL of Redis and its restart',
  'kill-mongodb': 'SIGKILL of the MongoDB server and its restart',
  pause: 'SIGSTOP of a function, worker or engine for 1 to 20 s',
  cut: 'connections of an engine break, and new ones are refused',
  delay: 'every byte to and from an engine is late',
  'half-open': 'the far ends of connections vanish without a word',
  wipe: "JetStream's store is lost; then initialize and reconcile",
  'redis-flush': 'Redis loses all it has',
  'redis-full': 'Redis has no memory for anything new',
  connections: 'Postgres has no connection left',
  'nats-full': 'JetStream takes nothing more',
  clock: 'the clocks of functions are up to an hour wrong, each in another way',
  duplicate: 'messages come again',
  reorder: 'messages are taken out, and come later in another order',
  late: 'messages come again when they are long out of date',
  'poison-bytes': 'messages that cannot be decoded',
  'poison-killer': 'a message that kills its worker each time',
  rolling: 'every process is replaced, one after another',
} as const

export type FaultKind = keyof typeof faultKinds

export const allFaults = Object.keys(faultKinds).filter(isFaultKind)

export function isFaultKind(name: string): name is FaultKind {
  return Object.hasOwn(faultKinds, name)
}
