import { runProgram } from './cli/program.ts'

process.exitCode = await runProgram(process.argv.slice(2), {
  // Loaded only by the commands that need them: the others are quick.
  startDaemon: async (settings, onStep) => (await import('./host/main.ts')).startDaemon(settings, onStep),
  probeSandbox: async () => (await import('./host/containers/choose.ts')).probeSandbox(),
  env: process.env,
  uid: process.getuid?.() ?? 0,
})
