import { createWriteStream, type WriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { FaultKind } from './faults/kinds.ts'
import type { Snapshot } from './snapshot/snapshot.ts'

/*
 * What happened in a run, in the order in which it ended; times are milliseconds since the run began, by one clock. A
 * write that got no answer, or a 5xx, is indeterminate: it may have had its effect, may have it later, or never.
 */

export type Service = 'students' | 'courses'

/** What an answer showed of one student or course. */
export interface Seen {
  readonly id: string
  readonly version: number
  /** The text that a write of the fields gave it: no two writes give the same. */
  readonly name: string
  readonly members: readonly string[]
}

interface Exchange {
  readonly service: Service
  readonly began: number
  readonly ended: number
  /** 0 when no answer came. */
  readonly status: number
  /** Of the trace: to be found in the log. */
  readonly trace: string
}

export interface WriteRecord extends Exchange {
  readonly type: 'write'
  readonly kind: 'create' | 'replace' | 'patch' | 'delete'
  /** Of a creation: only known when it was answered. */
  readonly id?: string
  /** What the fields are to show afterwards; without it they are left as they were. */
  readonly name?: string
  /** The whole list of links that was asked for; without it they are left as they were. */
  readonly members?: readonly string[]
  readonly key?: string
  readonly ifMatch?: number
  readonly outcome: 'acknowledged' | 'refused' | 'indeterminate'
  /** Of an acknowledged one that is no deletion. */
  readonly seen?: Seen
}

export interface ReadRecord extends Exchange {
  readonly type: 'read'
  /** `list` is the whole collection when `complete`; `related` are those of this service that name another's id. */
  readonly kind: 'one' | 'list' | 'related' | 'enrolments'
  readonly id?: string
  readonly seen: readonly Seen[]
  readonly complete?: boolean
  readonly cache?: string
  /** Of `enrolments`: how many wait for the other side. */
  readonly pending?: number
  /** Asked when everything had come to rest: it has to show just what is stored. */
  readonly final?: true
}

export interface FaultRecord {
  readonly type: 'fault'
  readonly kind: FaultKind
  readonly target: string
  readonly began: number
  /** When its cause was taken away. */
  readonly ended: number
  readonly detail?: Readonly<Record<string, unknown>>
}

export interface RunRecord {
  readonly type: 'run'
  readonly seed: number
  readonly minutes: number
  readonly courses: 'mongodb' | 'postgres'
  readonly faults: readonly FaultKind[]
}

/** What the stores held at the end, and what their functions said of it. */
export interface EndRecord {
  readonly type: 'end'
  readonly snapshot: Snapshot
  /** Whether everything came to rest in time. */
  readonly quiet: boolean
}

export type HistoryRecord = RunRecord | WriteRecord | ReadRecord | FaultRecord | EndRecord

export interface History {
  readonly run: RunRecord
  readonly writes: readonly WriteRecord[]
  readonly reads: readonly ReadRecord[]
  readonly faults: readonly FaultRecord[]
}

/** Records of a run as it goes: in memory for the judge, and as JSON lines in a file for whoever comes later. */
export class Recorder implements AsyncDisposable {
  readonly run: RunRecord
  readonly writes: WriteRecord[] = []
  readonly reads: ReadRecord[] = []
  readonly faults: FaultRecord[] = []
  /** Those that have no record yet. */
  readonly underWay = new Set<Pick<FaultRecord, 'kind' | 'began'>>()
  readonly #began = performance.now()
  readonly #file: WriteStream

  constructor(path: string, run: RunRecord) {
    this.run = run
    this.#file = createWriteStream(path, { mode: 0o600 })
    this.line(run)
  }

  /** Milliseconds since the run began. */
  now(): number {
    return Math.round((performance.now() - this.#began) * 1000) / 1000
  }

  add(record: WriteRecord | ReadRecord | FaultRecord): void {
    if (record.type === 'write') this.writes.push(record)
    else if (record.type === 'read') this.reads.push(record)
    else this.faults.push(record)
    this.line(record)
  }

  line(record: object): void {
    this.#file.write(`${JSON.stringify(record)}\n`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#file.end(resolve))
  }
}

/** A history as `Recorder` wrote it, with the end where the run came to it. */
export async function readHistory(path: string): Promise<History & { readonly end?: EndRecord }> {
  const records = (await readFile(path, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line): HistoryRecord => JSON.parse(line))
  const run = records.find((record) => record.type === 'run')
  if (!run) throw new Error('it does not say which run it is of')
  const end = records.find((record) => record.type === 'end')
  return {
    run,
    writes: records.filter((record) => record.type === 'write'),
    reads: records.filter((record) => record.type === 'read'),
    faults: records.filter((record) => record.type === 'fault'),
    ...(end ? { end } : {}),
  }
}
