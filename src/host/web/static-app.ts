import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { HttpBindings } from '@hono/node-server'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import { packageDirectory } from '../../kit/package-version.ts'
import { NOT_BUILT_PAGE } from './not-built-page.ts'

/** Names in there hold a hash of what is in the file. */
const HASHED = /^\/assets\//

/** Where the app is when it was built: in a checkout, in an installed package. */
export const builtAppPlaces = (): string[] =>
  ['src/web/dist', 'dist/web'].map((place) => join(packageDirectory(), place))

const isFile = (path: string): boolean => /\.[a-z0-9]+$/i.test(path)

const serveFrom = (root: string) => ({
  file: serveStatic({ root, precompressed: true }),
  page: serveStatic({ root, path: 'index.html', precompressed: true }),
})

/**
 * The files of the app: every other path is a page of it. Looks each time, so that an app that is built while the daemon runs is
 * there at the next reload.
 */
export function createStaticApp(places: readonly string[]): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>()
  const served = new Map<string, ReturnType<typeof serveFrom>>()
  app.get('*', async (context, next) => {
    const root = places.find((place) => existsSync(join(place, 'index.html')))
    if (root === undefined) return context.html(NOT_BUILT_PAGE)
    const { file, page } = served.get(root) ?? serveFrom(root)
    served.set(root, { file, page })
    if (HASHED.test(context.req.path)) context.header('cache-control', 'private, max-age=31536000, immutable')
    return isFile(context.req.path) ? file(context, next) : page(context, next)
  })
  app.notFound((context) => context.text('no such file\n', 404))
  return app
}
