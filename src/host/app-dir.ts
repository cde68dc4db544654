import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
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

/** What an app is made of. */
export interface AppParts {
  readonly node: Program
  readonly claude: Program
  readonly bundles: readonly Bundle[]
}

interface Program {
  readonly path: string
  readonly version: string
}

/** Throws `unavailable` when claude is not installed. */
export async function findAppParts(): Promise<AppParts> {
  const claude = findClaude()
  return { node: { path: process.execPath, version: process.version }, claude, bundles: await readBundles() }
}

/**
 * Puts node, claude and the bundled programs into `<apps>/<revision>/`, which containers bind: a checkout may be emptied
 * by `npm ci` under a running agent, a directory of the hive's own is not. It is there as a whole, on the disk too, or not
 * at all. Others than the daemon's user can use it whatever the umask is.
 */
export function installApp(apps: string, parts: AppParts): App {
  const files: readonly (readonly [name: string, text: string, mode: number])[] = [
    ...parts.bundles.map(({ name, code }) => [`${name}.mjs`, code, 0o644] as const),
    ...HARNESS_COMMANDS.map((name) => [name, HARNESS_SCRIPT, 0o755] as const),
  ]
  const programs = [['node', parts.node] as const, ['claude', parts.claude] as const]
  const revision = hashOf([
    // Hundreds of megabytes: their version and size stand for their contents.
    ...programs.flatMap(([name, { path, version }]) => [name, version, String(statSync(path).size)]),
    ...files.flat().map(String),
  ])
  const directory = join(apps, revision)
  if (existsSync(directory)) return { directory, revision }
  const unfinished = `${directory}.${process.pid}`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished)
  chmodSync(unfinished, 0o755)
  for (const [name, { path }] of programs) linkOrCopy(path, join(unfinished, name))
  for (const [name, text, mode] of [...files, ['revision', revision, 0o644] as const]) {
    writeFileSync(join(unfinished, name), text)
    chmodSync(join(unfinished, name), mode)
  }
  for (const name of readdirSync(unfinished)) flush(join(unfinished, name))
  flush(unfinished)
  try {
    renameSync(unfinished, directory)
  } catch (error) {
    rmSync(unfinished, { recursive: true })
    if (!existsSync(directory)) throw error
  }
  flush(apps)
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

/** A link has owner and mode of its source: only one that all can run, and only the daemon's user owns, is shared. */
function linkOrCopy(from: string, to: string): void {
  const { mode, uid } = statSync(from)
  if ((mode & 0o007) === 0o005 && uid === process.getuid?.() && succeedsToLink(from, to)) return
  copyFileSync(from, to, constants.COPYFILE_FICLONE)
  chmodSync(to, 0o755)
}

function succeedsToLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch {
    return false // Another file system, or one without links: a copy does as well.
  }
}

/** To the disk: what was renamed into place must not be empty after a power cut. */
function flush(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
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
