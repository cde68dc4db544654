import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { ContainerSpec } from '../runtime.ts'
import { openBubblewrapRuntime } from './runtime.ts'

/**
 * A daemon in small: opens a runtime, starts the container whose spec is in a file, says so, runs
 * something in it and waits to be killed.
 * Arguments: state directory, spec file.
 */
const [stateDir, specFile] = process.argv.slice(2) as [string, string]
const spec = JSON.parse(readFileSync(specFile, 'utf8')) as ContainerSpec
const runtime = openBubblewrapRuntime({ stateDir })
await runtime.apply(spec, { reference: 'a', revision: 'b' })
process.stdout.write('starting\n')
const { incarnation } = await runtime.start(spec.name)
process.stdout.write(`started ${incarnation}\n`)
const { stdout } = await runtime.exec(spec.name, ['ls', '/proc/self/fd'])
process.stdout.write(`descriptors of exec: ${stdout.trim().replaceAll('\n', ' ')}\n`)
const open = await runtime.openExec(spec.name, ['sh', '-c', 'echo $$; exec sleep 1000'])
const [pid] = await once(open.stdout, 'data')
process.stdout.write(`open exec: ${String(pid).trim()}\n`)
setInterval(() => {}, 1000)
