import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

// Root's postinstall. The engines have a lock file of their own, installed by the npm that runs now but under the
// Node of the root's `node` package: npm under an older Node silently leaves packages out whose `engines` it misses.

const { env } = process
const npm = env['npm_execpath']?.endsWith('npm-cli.js') ? env['npm_execpath'] : undefined
const flags = ['ci', '--prefix', import.meta.dirname, '--no-audit', '--no-fund', '--loglevel=error']

async function install(): Promise<void> {
  const [command, args] = npm ? [process.execPath, [npm, ...flags]] : ['npm', flags]
  await promisify(execFile)(command, args, { cwd: import.meta.dirname })
}

if (!(env['npm_config_omit'] ?? '').split(/\s+/).includes('dev')) {
  try {
    await install()
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    const lines = (stderr ?? String(error))
      .split('\n')
      .map((line) => line.replace(/^npm error\s*/, '').trim())
    const reason = lines
      .filter((line) => line !== '' && !line.includes('complete log of this run'))
      .slice(0, 3)
      .join('; ')
    process.stderr.write(
      `The engines of the local run could not be installed (${reason}). ` +
        'Run npm ci again, or npm ci --ignore-scripts to go on without them and give servers of your own by URL.\n',
    )
    process.exitCode = 1
  }
}
