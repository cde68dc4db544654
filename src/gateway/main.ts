import { parseArgs } from 'node:util'
import { serveOps } from '../kit/op-server.ts'
import { errorText } from '../wire/errors.ts'
import { gatewayOps } from '../wire/gateway-ops.ts'
import type { Handlers } from '../wire/op.ts'
import { Gateway } from './gateway.ts'
import { keepConfiguration, readKeptConfiguration } from './kept-configuration.ts'
import { machineSurroundings } from './name-servers.ts'
import { createRequestLog } from './request-log.ts'

const USAGE = 'usage: main.ts --control SOCKET --config FILE --log DIRECTORY --revision TEXT [--uid N --gid N]'

const { values } = parseArgs({
  options: {
    control: { type: 'string' },
    config: { type: 'string' },
    log: { type: 'string' },
    revision: { type: 'string' },
    uid: { type: 'string' },
    gid: { type: 'string' },
  },
})
const { control, config, log: directory, revision } = values
if (!control || !config || !directory || !revision) throw new Error(USAGE)

/** For good: no group of root's stays either. */
function dropRoot(uid: number, gid: number): void {
  if (!(uid > 0 && gid > 0)) throw new Error(USAGE)
  process.setgroups?.([])
  process.setgid?.(gid)
  process.setuid?.(uid)
}

const complain = (what: string, error: unknown): void =>
  void process.stderr.write(`${new Date().toISOString()} ${what}: ${errorText(error)}\n`)

// It outlives whoever started it, whoever reads its output, and a full disk.
process.on('SIGHUP', () => {})
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
process.umask(0o077)

const began = Promise.withResolvers<void>()
let log: ReturnType<typeof createRequestLog> | undefined
const gateway = new Gateway({
  surroundings: machineSurroundings(),
  log: (agent, entry) => {
    try {
      log?.(agent, entry)
    } catch (error) {
      complain('a request is missing in the log', error)
    }
  },
})
const handlers: Handlers<typeof gatewayOps> = {
  ping: () => ({ pid: process.pid, revision }),
  configure: async (configuration) => {
    await began.promise
    const unserved = await gateway.apply(configuration)
    keepConfiguration(config, configuration)
    return { unserved }
  },
  counts: () => ({ agents: gateway.counts() }),
}

// The control socket lies among the daemon's; all that follows needs no root.
await serveOps(gatewayOps, handlers, {
  path: control,
  onInternalError: (error, op) => complain(`${op} failed`, error),
})
if (values.uid !== undefined || values.gid !== undefined) dropRoot(Number(values.uid), Number(values.gid))
log = createRequestLog({ directory })
try {
  const kept = readKeptConfiguration(config)
  const unserved = kept ? await gateway.apply(kept) : {}
  for (const [agent, problem] of Object.entries(unserved)) complain(`${agent} is not served`, problem)
} catch (error) {
  // The daemon configures it again when it next looks; until then nobody is let out.
  complain('the kept configuration cannot be used', error)
}
process.once('SIGTERM', () => void gateway.close().then(() => process.exit(0)))
began.resolve()
process.stdout.write(`${JSON.stringify({ ready: true })}\n`)
