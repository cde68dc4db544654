import { runProgram } from './cli/program.ts'

process.exitCode = await runProgram(process.argv.slice(2), {
  // Loaded only by the commands that start a daemon: the others are quick.
  startDaemon: async (settings) => (await import('./host/main.ts')).startDaemon(settings),
  env: process.env,
  uid: process.getuid?.() ?? 0,
})
