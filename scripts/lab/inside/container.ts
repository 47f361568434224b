import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The memory controller of control groups, version 1 or 2. */
const groups = ['/sys/fs/cgroup/memory/kubepods', '/sys/fs/cgroup/kubepods']

const known = new Map<string, string>()

/** Where a container's control group is, while it runs. */
async function groupOf(container: string): Promise<string | undefined> {
  const found = known.get(container)
  if (found) return found
  for (const base of groups) {
    const all = await readdir(base, { recursive: true }).catch(() => [])
    const path = all.find((one) => one.endsWith(`/${container}`))
    if (path === undefined) continue
    known.set(container, join(base, path))
    return join(base, path)
  }
  return undefined
}

const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '')

/** The processes of a container, as this machine numbers them. */
export async function processesOf(container: string): Promise<number[]> {
  const group = await groupOf(container)
  if (!group) return []
  return (await text(join(group, 'cgroup.procs'))).split('\n').filter(Boolean).map(Number)
}

/** In bytes, as the kernel counts them for the limit. */
export interface Memory {
  /** What nobody can take back: no pages of files. */
  readonly own: number
  readonly limit: number
  /** How often the limit was reached. */
  readonly reached: number
}

export async function memoryOf(container: string): Promise<Memory | undefined> {
  const group = await groupOf(container)
  if (!group) return undefined
  const [stat, limit, failures, events] = await Promise.all([
    text(join(group, 'memory.stat')),
    text(join(group, 'memory.limit_in_bytes')).then(async (one) => one || text(join(group, 'memory.max'))),
    text(join(group, 'memory.failcnt')),
    text(join(group, 'memory.events')),
  ])
  const own = /^(?:total_rss|anon) (\d+)$/m.exec(stat)?.[1]
  if (own === undefined) return undefined
  const reached = failures || /^max (\d+)$/m.exec(events)?.[1] || '0'
  return { own: Number(own), limit: Number(limit), reached: Number(reached) }
}

/** What a process may, as the kernel says. */
export interface Confinement {
  readonly uid: string
  readonly capabilities: string
  readonly noNewPrivileges: boolean
  readonly seccomp: boolean
  readonly rootReadOnly: boolean
}

export async function confinementOf(pid: number): Promise<Confinement | undefined> {
  const [status, mounts] = await Promise.all([text(`/proc/${pid}/status`), text(`/proc/${pid}/mountinfo`)])
  if (!status || !mounts) return undefined
  const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? ''
  const root = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .find((words) => words[4] === '/')
  return {
    uid: field('Uid'),
    capabilities: field('CapEff'),
    noNewPrivileges: field('NoNewPrivs') === '1',
    seccomp: field('Seccomp') === '2',
    rootReadOnly: root?.[5]?.split(',').includes('ro') ?? false,
  }
}

/** As the manifests have it. */
export const isConfined = (one: Confinement): boolean =>
  one.uid === '65532' &&
  /^0+$/.test(one.capabilities) &&
  one.noNewPrivileges &&
  one.seccomp &&
  one.rootReadOnly

/** When a process began, in milliseconds since the epoch, to a hundredth of a second. */
export async function bornAt(pid: number): Promise<number | undefined> {
  const [stat, uptime] = await Promise.all([text(`/proc/${pid}/stat`), text('/proc/uptime')])
  // Behind the name, which may have spaces; the 22nd field of all.
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  if (!ticks || !uptime) return undefined
  return Date.now() - (Number(uptime.split(' ')[0]) - Number(ticks) / 100) * 1000
}
