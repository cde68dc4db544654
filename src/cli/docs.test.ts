import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Command } from 'commander'
import { EXIT } from './exit-code.ts'
import { createProgram } from './program.ts'
import { createTestIo } from './run-in-test.ts'
import { readConfigurationPage, withSettingsTable } from './settings-table.ts'

test('docs/configuration.md has the settings as they are', () => {
  const page = readConfigurationPage()
  assert.equal(page, withSettingsTable(page), 'stale: run `node src/cli/settings-table.ts`')
})

/** As it is typed after `hive`. */
const nameOf = (command: Command): string =>
  command.parent?.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name()

test('docs/cli.md has every command, every option of its own kind and every exit code', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/cli.md'), 'utf8')
  const startDaemon = () => Promise.reject(new Error('no daemon here'))
  const program = createProgram({ startDaemon, probeSandbox: startDaemon, io: createTestIo(), env: {}, uid: 0 })
  const commands = program.commands.flatMap((command) => [command, ...command.commands])
  const missing = commands.map(nameOf).filter((name) => !page.includes(`\`${name}`))
  const options = commands
    .flatMap((command) => command.options)
    .filter(({ hidden }) => !hidden)
    .map(({ long, short }) => ({ long, short }))
    .filter(({ long, short }) => !page.includes(`${long}`) && !(short && page.includes(`\`${short}\``)))
  const codes = Object.values(EXIT).filter((code) => !page.includes(`| ${code} |`))
  assert.deepEqual({ missing, options, codes }, { missing: [], options: [], codes: [] })
})
