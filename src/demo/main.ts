import { renameSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { errorText, HiveError } from '../wire/errors.ts'
import { openModelServer } from './model-server.ts'
import { readScenarios } from './scenario-files.ts'
import { obey } from './scenarios/obey.ts'
import { team } from './scenarios/team.ts'

const USAGE = 'usage: main.ts [--port N] [--scenarios FILE|DIRECTORY] [--port-file FILE] [--pace MS] [--identity TEXT]'

function readFlags() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '0' },
        'port-file': { type: 'string' },
        scenarios: { type: 'string' },
        identity: { type: 'string', default: '' },
        pace: { type: 'string', default: '30' },
      },
    })
    const [port, paceMs] = [Number(values.port), Number(values.pace)]
    if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`--port ${values.port} is no port`)
    if (!(paceMs >= 0)) throw new Error(`--pace ${values.pace} is no number of milliseconds`)
    return { port, paceMs, portFile: values['port-file'], scenarios: values.scenarios, identity: values.identity }
  } catch (cause) {
    throw new HiveError('bad_input', errorText(cause), { hint: USAGE, cause })
  }
}

/** Readers of the file never see half of a number. */
function writePortFile(file: string, port: number): void {
  writeFileSync(`${file}.new`, String(port))
  renameSync(`${file}.new`, file)
}

async function main(): Promise<void> {
  const { port, paceMs, portFile, scenarios, identity } = readFlags()
  const chosen = scenarios === undefined ? team : readScenarios(scenarios)
  const server = await openModelServer({
    port,
    scenarios: { default: obey, ...chosen },
    paceMs,
    keepRequests: 0,
    identity: `${process.pid} ${identity}`,
    log: (line) => process.stderr.write(`${line}\n`),
  })
  process.once('SIGTERM', () => void server.close())
  process.once('SIGINT', () => void server.close())
  if (portFile) writePortFile(portFile, server.port)
  process.stdout.write(`${JSON.stringify({ port: server.port })}\n`)
}

// It outlives whoever reads its output.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
try {
  await main()
} catch (error) {
  const hint = error instanceof HiveError && error.hint ? `\n${error.hint}` : ''
  process.stderr.write(`${errorText(error)}${hint}\n`)
  process.exitCode = 1
}
