import type { Handler } from '../http/call.ts'
import type { CacheReader } from '../middleware/caching.ts'
import type { FunctionDeclaration, HttpTrigger } from '../spec/define-function.ts'
import { type Assembly, hostProcess, type Wired } from './host.ts'
import { type HttpApp, httpApp } from './http-app.ts'
import { nodeHttpServer } from './node-http.ts'

export interface HttpAssembly extends Assembly {
  readonly declaration: FunctionDeclaration<HttpTrigger>
}

/** Serves an HTTP function on a native server. */
export function serveHttp(assembly: HttpAssembly): Promise<void> {
  return hostProcess(assembly, (wired) => {
    const app = wired.then((made) => wiredApp(assembly, made))
    app.catch(() => {})
    return { server: nodeHttpServer(app) }
  })
}

export function wiredApp({ name, declaration }: HttpAssembly, { dependencies, handlers }: Wired): HttpApp {
  return httpApp({
    name,
    declaration,
    // Assembled from one folder: its handler.ts has the declaration's operations, its wiring the cache.
    handlers: handlers as Readonly<Record<string, Handler>>,
    cache: dependencies['cache'] as CacheReader | undefined,
  })
}
