import { createProgram } from './cli/program.ts'
import type { Settings } from './kit/settings.ts'

const program = createProgram({
  // Loaded only by the commands that start one: the others are quick.
  startDaemon: async (settings: Settings) => (await import('./host/main.ts')).startDaemon(settings),
  env: process.env,
  uid: process.getuid?.() ?? 0,
})
await program.parseAsync(process.argv)
