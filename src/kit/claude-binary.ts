import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HiveError } from '../wire/errors.ts'

/** Finds the Claude Code binary that was installed beside this program. Throws `unavailable` with the fix. */
export function findClaude(): { path: string; version: string } {
  const name = `@anthropic-ai/claude-code-linux-${process.arch}`
  for (let directory = dirname(fileURLToPath(import.meta.url)); ; directory = dirname(directory)) {
    const found = join(directory, 'node_modules', name)
    if (existsSync(join(found, 'claude'))) {
      const { version } = JSON.parse(readFileSync(join(found, 'package.json'), 'utf8')) as { version: string }
      return { path: join(found, 'claude'), version }
    }
    if (directory === dirname(directory)) break
  }
  throw new HiveError('unavailable', `Claude Code (${name}) is not installed`, {
    hint: 'run `npm ci` again, without --omit=optional',
  })
}
