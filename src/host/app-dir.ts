import { createHash } from 'node:crypto'
import {
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HiveError } from '../wire/errors.ts'
import { type Bundle, bundlePrograms, PROGRAMS } from './bundle.ts'

export interface App {
  readonly directory: string
  /** Changes when anything in the directory does; agents that run another one need an update. */
  readonly revision: string
}

/**
 * Puts node, claude and the bundled programs into `<apps>/<revision>/`, which containers bind: a checkout may be emptied
 * by `npm ci` under a running agent, a directory of the hive's own is not. Throws `unavailable` when claude is not installed.
 */
export async function installApp(apps: string): Promise<App> {
  const claude = findClaude()
  const bundles = await readBundles()
  const revision = hashOf([process.version, claude.version, ...bundles.map(({ code }) => code)])
  const directory = join(apps, revision)
  if (existsSync(directory)) return { directory, revision }
  const unfinished = `${directory}.${process.pid}`
  mkdirSync(unfinished, { mode: 0o755 })
  linkOrCopy(process.execPath, join(unfinished, 'node'))
  linkOrCopy(claude.path, join(unfinished, 'claude'))
  for (const { name, code } of bundles) writeFileSync(join(unfinished, `${name}.mjs`), code, { mode: 0o644 })
  writeFileSync(join(unfinished, 'revision'), revision, { mode: 0o644 })
  try {
    renameSync(unfinished, directory)
  } catch (error) {
    rmSync(unfinished, { recursive: true })
    if (!existsSync(directory)) throw error
  }
  return { directory, revision }
}

const hashOf = (parts: readonly string[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}:${part}`)
  return hash.digest('hex').slice(0, 12)
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch {
    // Another file system, or links to files of another owner are forbidden.
    copyFileSync(from, to, constants.COPYFILE_FICLONE)
  }
}

/** Finds the Claude Code binary that was installed beside this program. */
export function findClaude(): { path: string; version: string } {
  const name = `@anthropic-ai/claude-code-linux-${process.arch}`
  for (let directory = dirname(fileURLToPath(import.meta.url)); ; directory = dirname(directory)) {
    const found = join(directory, 'node_modules', name)
    if (existsSync(join(found, 'claude'))) {
      const { version } = JSON.parse(readFileSync(join(found, 'package.json'), 'utf8')) as { version: string }
      return { path: join(found, 'claude'), version: `${version}-${statSync(join(found, 'claude')).size}` }
    }
    if (directory === dirname(directory)) break
  }
  throw new HiveError('unavailable', `${name} is not installed`, {
    hint: 'run `npm ci` again, without --omit=optional',
  })
}

/** Built ones where `npm run build` left them, else bundled now from the sources. */
async function readBundles(): Promise<Bundle[]> {
  const here = dirname(fileURLToPath(import.meta.url))
  if (import.meta.url.endsWith('.ts')) return bundlePrograms(join(here, '..'))
  return Object.keys(PROGRAMS).map((name) => ({ name, code: readFileSync(join(here, `${name}.mjs`), 'utf8') }))
}
