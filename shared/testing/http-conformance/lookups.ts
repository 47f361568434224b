import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Variables } from '../../config.ts'

/** Both lookups, each in a process of its own, as they run; and the environment that names them too. */
export async function withLookups(variables: Variables, stack: AsyncDisposableStack): Promise<Variables> {
  const [students, courses] = await Promise.all(
    ['students/by-course', 'courses/by-student'].map(async (name) => {
      const main = join(import.meta.dirname, '../../hosts/main.ts')
      const child = fork(main, [name], {
        env: { ...variables, HOST: '127.0.0.1', PORT: '0' },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        execArgv: [],
      })
      stack.defer(async () => {
        const gone = once(child, 'exit')
        // Nobody is asked whether more will be sent.
        if (child.connected) child.disconnect()
        child.kill('SIGTERM')
        await gone
      })
      const [ready]: { port?: number }[] = await once(child, 'message')
      return `http://127.0.0.1:${ready?.port}`
    }),
  )
  return { ...variables, STUDENTS_BY_COURSE_URL: students, COURSES_BY_STUDENT_URL: courses }
}
