import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { serveStatic } from '@hono/node-server/serve-static'
import type { Hono } from 'hono'
import { packageDirectory } from '../../kit/package-version.ts'
import type { Env } from './api.ts'
import { NOT_BUILT_PAGE } from './not-built-page.ts'

/** Names in there hold a hash of what is in the file. */
const HASHED = /^\/assets\//
const KEPT = 'private, max-age=31536000, immutable'

/** Where the app is when it was built: in a checkout, in an installed package. */
export const builtAppPlaces = (): string[] =>
  ['src/web/dist', 'dist/web'].map((place) => join(packageDirectory(), place))

const isFile = (path: string): boolean => /\.[a-z0-9]+$/i.test(path)

const serveFrom = (root: string) => ({
  file: serveStatic<Env>({ root, precompressed: true }),
  page: serveStatic<Env>({ root, path: 'index.html', precompressed: true }),
})

/**
 * Adds the files of the app: every other path is a page of it. Looks each time, so that an app that is built while the daemon
 * runs is there at the next reload.
 */
export function addStaticApp(routes: Hono<Env>, places: readonly string[]): void {
  const served = new Map<string, ReturnType<typeof serveFrom>>()
  routes.get('*', async (context, next) => {
    const root = places.find((place) => existsSync(join(place, 'index.html')))
    const wanted = isFile(context.req.path) ? 'file' : 'page'
    if (root === undefined) return wanted === 'page' ? context.html(NOT_BUILT_PAGE) : next()
    const handlers = served.get(root) ?? serveFrom(root)
    served.set(root, handlers)
    const response = await handlers[wanted](context, next)
    if (response?.ok && HASHED.test(context.req.path)) response.headers.set('cache-control', KEPT)
    return response
  })
  routes.notFound((context) => context.text('no such file\n', 404))
}
