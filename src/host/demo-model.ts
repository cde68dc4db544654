import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { App } from './app-dir.ts'
import { ensureCompanion } from './companion.ts'
import type { Layout } from './layout.ts'

/** Sees to it that the scripted model runs, on the port it had before; gives its base URL. */
export async function ensureDemoModel(layout: Layout, app: App): Promise<string> {
  const portFile = join(layout.stateDir, 'model.port')
  const url = () => `http://127.0.0.1:${readPort(portFile)}`
  await ensureCompanion({
    name: 'model',
    stateDir: layout.stateDir,
    argv: [
      join(app.directory, 'node'),
      join(app.directory, 'model.mjs'),
      '--port',
      readPort(portFile) || '0',
      '--port-file',
      portFile,
    ],
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
    revision: app.revision,
    isServing: async () => {
      try {
        await fetch(url(), { method: 'HEAD' })
        return true
      } catch {
        return false // Not yet.
      }
    },
  })
  return url()
}

function readPort(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return '' // It has not written it yet.
  }
}
