import { createHash } from 'node:crypto'
import {
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findClaude } from '../kit/claude-binary.ts'
import { run } from '../kit/run.ts'
import { HiveError } from '../wire/errors.ts'
import { type Bundle, PROGRAMS } from './bundle.ts'

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
  const revision = hashOf([
    process.version,
    claude.version,
    String(statSync(claude.path).size),
    ...bundles.map(({ code }) => code),
  ])
  const directory = join(apps, revision)
  if (existsSync(directory)) return { directory, revision }
  const unfinished = `${directory}.${process.pid}`
  mkdirSync(unfinished, { mode: 0o755 })
  linkOrCopy(process.execPath, join(unfinished, 'node'))
  linkOrCopy(claude.path, join(unfinished, 'claude'))
  for (const { name, code } of bundles) writeFileSync(join(unfinished, `${name}.mjs`), code, { mode: 0o644 })
  for (const name of HARNESS_COMMANDS) writeFileSync(join(unfinished, name), HARNESS_SCRIPT, { mode: 0o755 })
  writeFileSync(join(unfinished, 'revision'), revision, { mode: 0o644 })
  try {
    renameSync(unfinished, directory)
  } catch (error) {
    rmSync(unfinished, { recursive: true })
    if (!existsSync(directory)) throw error
  }
  return { directory, revision }
}

/** The names by which the harness is known inside containers. */
const HARNESS_COMMANDS = ['hive-ag3nt', 'hive-m1nd']
const HARNESS_SCRIPT = '#!/bin/sh\nexec /opt/hive/node /opt/hive/harness.mjs "$@"\n'

/** Forgets revisions that nothing runs from any more; each may hold half a gigabyte. */
export function pruneApps(apps: string, keep: ReadonlySet<string>): void {
  for (const name of readdirSync(apps)) {
    if (!keep.has(name)) rmSync(join(apps, name), { recursive: true, force: true })
  }
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

/** Built ones where `npm run build` left them, else bundled now from the sources. */
async function readBundles(): Promise<Bundle[]> {
  const here = dirname(fileURLToPath(import.meta.url))
  if (import.meta.url.endsWith('.ts')) return bundleSources(join(here, 'print-bundles.ts'))
  return Object.keys(PROGRAMS).map((name) => ({ name, code: readFileSync(join(here, `${name}.mjs`), 'utf8') }))
}

/** In a process of its own: the bundler would keep 200 MiB of the daemon's memory for good. */
async function bundleSources(program: string): Promise<Bundle[]> {
  const { exitCode, stdout, stderr } = await run([process.execPath, program])
  if (exitCode !== 0) throw new HiveError('unavailable', `the programs cannot be bundled: ${stderr.trim()}`)
  return JSON.parse(stdout)
}
