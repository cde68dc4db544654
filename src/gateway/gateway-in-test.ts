import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { connectOps, type OpConnection } from '../kit/op-client.ts'
import { gatewayOps } from '../wire/gateway-ops.ts'

const PROGRAM = join(import.meta.dirname, 'main.ts')

export interface TestGateway extends AsyncDisposable {
  readonly directory: string
  readonly control: string
  readonly configFile: string
  /** Where the requests of an agent are logged. */
  logOf(agent: string): string
  socketOf(agent: string): string
  /** Starts the program, waits until it serves, connects to its control socket. */
  start(): Promise<void>
  /** Sends a signal, waits for the end; gives its exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>
  pid(): number
  call(): OpConnection<typeof gatewayOps>['call']
  /** Makes the directories of agents as the daemon does, then configures them. */
  configure(agents: { name: string; allow?: string[] }[], endpoints: string[]): Promise<void>
}

export interface Ids {
  readonly gateway: number
  readonly agent: number
}

/** The program in a temporary directory; with `ids` it drops root. */
export async function openTestGateway(ids?: Ids): Promise<TestGateway> {
  const directory = mkdtempSync('/tmp/gateway-')
  chmodSync(directory, 0o711)
  const own = join(directory, 'own')
  mkdirSync(own, { mode: 0o700 })
  if (ids) chownSync(own, ids.gateway, ids.gateway)
  const control = join(directory, 'control.sock')
  const configFile = join(own, 'config.json')
  const socketOf = (agent: string) => join(directory, agent, 'egress.sock')
  const flags = { control, config: configFile, log: join(own, 'requests'), revision: 'r1' }
  const argv = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value])
  if (ids) argv.push('--uid', String(ids.gateway), '--gid', String(ids.gateway))
  let child: ReturnType<typeof spawn>
  let connection: OpConnection<typeof gatewayOps>

  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    const exit = once(child, 'exit')
    child.kill(signal)
    return (await exit)[0]
  }
  const gateway: TestGateway = {
    directory,
    control,
    configFile,
    logOf: (agent) => join(own, 'requests', `${agent}.jsonl`),
    socketOf,
    async start() {
      child = spawn(process.execPath, [PROGRAM, ...argv], { stdio: ['ignore', 'pipe', 'ignore'] })
      await once(child.stdout as NodeJS.ReadableStream, 'data')
      connection = await connectOps(gatewayOps, control)
    },
    end,
    pid: () => child.pid as number,
    call: () => connection.call,
    async configure(agents, endpoints) {
      for (const { name } of agents) {
        const path = join(directory, name)
        mkdirSync(path, { recursive: true })
        if (ids) chownSync(path, ids.gateway, ids.agent)
        chmodSync(path, 0o2750)
      }
      const sockets = agents.map(({ name, allow }) => ({ name, socket: socketOf(name), allow }))
      await connection.call.configure({ agents: sockets, endpoints })
    },
    async [Symbol.asyncDispose]() {
      connection.close()
      await end('SIGKILL')
      rmSync(directory, { recursive: true })
    },
  }
  await gateway.start()
  return gateway
}
