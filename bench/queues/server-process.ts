import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ServerProcess extends AsyncDisposable {
  readonly pid: number
}

/** Starts a server and waits until `isServing`; throws when it ends before. */
export async function startServer(
  argv: readonly [string, ...string[]],
  { logFile, isServing, endSignal }: { logFile: string; isServing(): Promise<boolean>; endSignal: NodeJS.Signals },
): Promise<ServerProcess> {
  const [command, ...args] = argv
  const output = openSync(logFile, 'a')
  const server: ChildProcess = spawn(command, args, { stdio: ['ignore', output, output] })
  await once(server, 'spawn')
  while (!(await isServing())) {
    if (server.exitCode !== null) throw new Error(`${command} ended, see ${logFile}`)
    await sleep(20)
  }
  return {
    pid: server.pid ?? 0,
    async [Symbol.asyncDispose]() {
      const ended = once(server, 'exit')
      server.kill(endSignal)
      await ended
    },
  }
}
