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

/** The programs that run beside the daemon: in containers, or as processes that outlive it. Each is one file. */
export const PROGRAMS = { harness: 'harness/main', gateway: 'gateway/main', model: 'demo/main' } as const

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

/** One file per program: built ones where `npm run build` left them, else bundled now from the sources. */
async function readBundles(): Promise<{ name: string; code: string }[]> {
  const here = dirname(fileURLToPath(import.meta.url))
  const fromSource = import.meta.url.endsWith('.ts')
  return Promise.all(
    Object.entries(PROGRAMS).map(async ([name, entry]) => ({
      name,
      code: fromSource
        ? await bundle(join(here, '..', `${entry}.ts`))
        : readFileSync(join(here, '..', `${name}.mjs`), 'utf8'),
    })),
  )
}

async function bundle(input: string): Promise<string> {
  const { rolldown } = await import('rolldown')
  const build = await rolldown({ input, platform: 'node', logLevel: 'silent' })
  const { output } = await build.generate({ format: 'esm', minify: false, codeSplitting: false })
  await build.close()
  return output[0].code
}
