import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { errorText, HiveError } from '../../wire/errors.ts'
import type { BuildSource, Deployment } from './runtime.ts'

/**
 * Turns the files of a commit into a deployment: there is nothing to build here, so its reference is their hash.
 * Throws `bad_input` when `agent.json` is there and is no JSON object.
 */
export function hashConfig({ directory, revision }: Pick<BuildSource, 'directory' | 'revision'>): Deployment {
  checkAgentConfig(join(directory, 'agent.json'))
  const hash = createHash('sha256')
  for (const file of listFiles(directory)) {
    const content = readFileSync(join(directory, file))
    hash.update(`${Buffer.byteLength(file)}:${file}:${content.length}:`).update(content)
  }
  return { reference: hash.digest('hex'), revision }
}

/** Regular files only: a link could lead anywhere. */
const listFiles = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort()

function checkAgentConfig(file: string): void {
  if (!existsSync(file)) return
  let config: unknown
  try {
    config = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new HiveError('bad_input', `agent.json is not JSON: ${errorText(cause)}`, { cause })
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new HiveError('bad_input', 'agent.json does not hold an object')
  }
}
