import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GUEST_ETC } from './argv.ts'

/** The host's own name its users; a sandbox has root, which is the agent, and nobody. */
const CONTENT: Record<(typeof GUEST_ETC)[number], string> = {
  passwd: 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
  group: 'root:x:0:\nnogroup:x:65534:\n',
  hosts: '127.0.0.1 localhost\n::1 localhost\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
}

/** Writes the files of /etc that every sandbox gets into `<stateDir>/.etc`, readable for all; gives that directory. */
export function writeGuestEtc(stateDir: string): string {
  const etc = join(stateDir, '.etc')
  mkdirSync(etc, { recursive: true })
  chmodSync(etc, 0o755)
  for (const [name, content] of Object.entries(CONTENT)) {
    writeFileSync(join(etc, name), content)
    chmodSync(join(etc, name), 0o644)
  }
  return etc
}
