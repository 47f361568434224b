import type { Assembly } from './host.ts'
import type { HttpAssembly } from './http.ts'

/** Runs a function in the host of its trigger's kind. */
export async function serve(assembly: Assembly): Promise<void> {
  const { kind } = assembly.declaration.trigger
  switch (kind) {
    case 'http':
      return (await import('./http.ts')).serveHttp(assembly as HttpAssembly)
    case 'grpc':
      return (await import('./grpc.ts')).serveGrpc(assembly as never)
    case 'stream':
      return (await import('./worker.ts')).serveWorker(assembly as never)
    case 'job':
    case 'cron':
      return (await import('./job.ts')).runJob(assembly)
    default:
      return kind satisfies never
  }
}
