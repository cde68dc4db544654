import { parseArgs } from 'node:util'
import { serveOps } from '../kit/op-server.ts'
import { gatewayOps } from '../wire/gateway-ops.ts'
import { Gateway } from './gateway.ts'
import { createRequestLog } from './request-log.ts'

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
const { control, config, log, revision } = values
if (!control || !config || !log || !revision) throw new Error('needs --control, --config, --log and --revision')

process.on('SIGHUP', () => {})
process.once('SIGTERM', () => process.exit(0))
process.umask(0o077)

const gateway = new Gateway({ configFile: config, revision, log: createRequestLog(log) })
// The control socket is the daemon's; everything after it happens without root.
await serveOps(gatewayOps, gateway.handlers, { path: control })
if (values.uid && values.gid) {
  process.setgroups?.([])
  process.setgid?.(Number(values.gid))
  process.setuid?.(Number(values.uid))
}
await gateway.restore()
process.stdout.write(`${JSON.stringify({ ready: true })}\n`)
