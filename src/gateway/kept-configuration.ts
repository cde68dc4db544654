import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { gatewayOps } from '../wire/gateway-ops.ts'
import type { Parsed } from '../wire/op.ts'

export type Configuration = Parsed<typeof gatewayOps.configure>

/** Keeps the last configuration: whole or not at all, also after a power cut. */
export function keepConfiguration(file: string, configuration: Configuration): void {
  const fd = openSync(`${file}.new`, 'w', 0o600)
  try {
    writeSync(fd, JSON.stringify(configuration))
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(`${file}.new`, file)
}

/** The configuration that was kept; undefined when there is none yet. Throws when it cannot be read. */
export function readKeptConfiguration(file: string): Configuration | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return gatewayOps.configure.input.parse(JSON.parse(text))
}
