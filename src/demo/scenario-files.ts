import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { errorText, HiveError } from '../wire/errors.ts'
import { parseScenarios, Scenario, Scenarios } from './scenario.ts'

/**
 * Reads scenarios from a file (an object: label → scenario) or from a directory (`<label>.json` each).
 * Throws `not_found` when it cannot be read, `bad_input` that names the file and the place in it.
 */
export function readScenarios(path: string): Scenarios {
  const files = listFiles(path)
  if (files === undefined) return parseScenarios(Scenarios, readJson(path), path)
  const found = files.map((file) => [basename(file, '.json'), parseScenarios(Scenario, readJson(file), file)])
  return parseScenarios(Scenarios, Object.fromEntries(found), path)
}

/** The scenario files of a directory; undefined when it is none. */
function listFiles(path: string): string[] | undefined {
  try {
    if (!statSync(path).isDirectory()) return undefined
    const names = readdirSync(path).filter((name) => name.endsWith('.json'))
    return names.sort().map((name) => join(path, name))
  } catch (cause) {
    throw new HiveError('not_found', `cannot read scenarios from ${path}: ${errorText(cause)}`, { cause })
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    const [code, what] =
      cause instanceof SyntaxError
        ? (['bad_input', 'is not JSON'] as const)
        : (['not_found', 'cannot be read'] as const)
    throw new HiveError(code, `${file} ${what}: ${errorText(cause)}`, { cause })
  }
}
