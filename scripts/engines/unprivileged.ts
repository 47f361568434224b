import { spawnSync } from 'node:child_process'
import { chown, mkdir } from 'node:fs/promises'
import { EngineError } from './engine.ts'
import { onPath } from './find.ts'

/** How to run something as a user that Postgres accepts: it refuses root. */
export interface Runner {
  /** Spawned with this uid and gid; nothing when we are not root, or when `prefix` changes it. */
  readonly uid?: number
  /** Goes before the command. */
  readonly prefix: readonly string[]
}

/** `nobody` on every Linux. */
const nobody = 65534

/**
 * As root, another uid. A checkout or data folder below a folder that only root may enter (/root, a mkdtemp) is closed
 * to that uid; then it is given the one capability to pass, and the securebit without which access(2) ignores it.
 */
export async function unprivileged(dir: string, mustRead: string): Promise<Runner> {
  if (process.getuid?.() !== 0) return { prefix: [] }
  await mkdir(dir, { recursive: true })
  await chown(dir, nobody, nobody)
  const setpriv = onPath('setpriv')
  const candidates: Runner[] = [{ uid: nobody, prefix: [] }]
  // Reading is enough to pass; executing what only root may (a umask of 077 at npm ci) takes more.
  if (setpriv)
    for (const capability of ['dac_read_search', 'dac_override'])
      candidates.push({ prefix: [setpriv, ...become(capability)] })
  const fit = candidates.find((runner) => canUse(runner, dir, mustRead))
  if (fit) return fit
  throw new EngineError(
    `Postgres refuses to run as root, and the user that it would run as (uid ${nobody}) cannot enter ${dir} or ${mustRead}: ` +
      'start as another user, put the checkout and DATA_DIR where everyone may enter, or give STUDENTS_URL and COURSES_URL',
  )
}

function become(capability: string): string[] {
  const identity = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups']
  const caps = ['--inh-caps', `+${capability}`, '--ambient-caps', `+${capability}`]
  return [...identity, ...caps, '--securebits', '+no_setuid_fixup']
}

function canUse({ uid, prefix }: Runner, dir: string, mustRead: string): boolean {
  const script = 'test -x "$2" && test -w "$1" && "$2" --version'
  const [command = '/bin/sh', ...args] = [...prefix, '/bin/sh', '-c', script, 'sh', dir, mustRead]
  const options = { cwd: '/', stdio: 'ignore' as const, ...(uid === undefined ? {} : { uid, gid: uid }) }
  return spawnSync(command, args, options).status === 0
}
