import { runProgram } from './cli/program.ts'
import type { Settings } from './kit/settings.ts'

process.exitCode = await runProgram(process.argv.slice(2), {
  // Loaded only by the commands that start one: the others are quick.
  startDaemon: async (settings: Settings) => (await import('./host/main.ts')).startDaemon(settings),
  env: process.env,
  uid: process.getuid?.() ?? 0,
})
