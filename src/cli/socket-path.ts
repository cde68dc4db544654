import { join } from 'node:path'

/** The kernel cuts the path of a socket at so many bytes. */
export const MAX_SOCKET_BYTES = 107
const LONGEST_NAME = 'a'.repeat(9)

/** The longest socket of a hive is an agent's. */
export function longestSocket(runDir: string): { path: string; bytes: number } {
  const path = join(runDir, 'egress', LONGEST_NAME, 'egress.sock')
  return { path, bytes: Buffer.byteLength(path) }
}
