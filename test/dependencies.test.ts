import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const read = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, '..', name), 'utf8'))

interface Locked {
  /** Absent: from the registry. */
  readonly resolved?: string
  readonly integrity?: string
  readonly hasInstallScript?: boolean
  /** It comes within the package around it, whose hash is its own too. */
  readonly inBundle?: boolean
}

test('what is installed is what was locked: exact versions, hashes, one registry, and nothing runs at the install', () => {
  const { dependencies, devDependencies, optionalDependencies } = read('package.json')
  const wanted: [string, string][] = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
  assert.deepEqual(
    wanted.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)),
    [],
  )
  const { '': _, ...locked }: Record<string, Locked> = read('package-lock.json').packages
  const wrong = Object.entries(locked).filter(
    ([, { resolved, integrity, hasInstallScript, inBundle }]) =>
      !(inBundle || integrity?.startsWith('sha512-')) || hasInstallScript || resolved !== undefined,
  )
  assert.deepEqual(
    wrong.map(([name]) => name),
    [],
  )
})
