import { runProgram } from './cli/program.ts'

process.exitCode = await runProgram(process.argv.slice(2), {
  // Loaded only by the commands that start a daemon: the others are quick.
  startDaemon: async (settings, onStep) => (await import('./host/main.ts')).startDaemon(settings, onStep),
  env: process.env,
  uid: process.getuid?.() ?? 0,
})
