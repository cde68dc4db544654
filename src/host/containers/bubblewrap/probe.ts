import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../../kit/run.ts'
import { errorText } from '../../../wire/errors.ts'
import type { Probe } from '../runtime.ts'
import { bubblewrapArgv } from './argv.ts'
import { openCgroup } from './cgroup.ts'

/** Uid for the throw-away sandbox when the daemon is root. */
const PROBE_UID = 1_899_999_998

/** Starts and stops a throw-away sandbox; names what keeps it from running, each with its fix. */
export async function probeBubblewrap({
  stateDir,
  hive,
  etc,
}: {
  stateDir: string
  hive: string
  etc: string
}): Promise<Probe> {
  const problems: { what: string; fix: string }[] = []
  let version = ''
  try {
    version = (await run(['bwrap', '--version'])).stdout.trim()
  } catch {
    problems.push({ what: 'bubblewrap is not installed', fix: 'apt-get install bubblewrap' })
  }
  for (const tool of ['setpriv', 'nsenter']) {
    if (!['/usr/bin', '/bin', '/usr/sbin'].some((directory) => existsSync(join(directory, tool)))) {
      problems.push({ what: `${tool} is missing`, fix: 'apt-get install util-linux' })
    }
  }
  if (problems.length === 0) problems.push(...(await trySandbox(stateDir, etc)))
  const cgroup = openCgroup(hive, 'probe', {})
  const limits = cgroup.enforced
  cgroup.remove()
  return { ok: problems.length === 0, problems, version, limits }
}

async function trySandbox(stateDir: string, etc: string): Promise<{ what: string; fix: string }[]> {
  const directory = mkdtempSync(join(stateDir, '.probe-'))
  try {
    const spec = {
      name: 'probe',
      argv: ['/usr/bin/true'],
      env: {},
      mounts: [],
      uid: process.getuid?.() === 0 ? PROBE_UID : undefined,
      network: 'none' as const,
      limits: {},
    }
    const { exitCode, stderr } = await run(bubblewrapArgv(spec, etc, { status: 2 }), { timeoutMs: 10_000 })
    return exitCode === 0 ? [] : [explain(stderr)]
  } catch (error) {
    return [explain(errorText(error))]
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Why the kernel refused, as far as its settings tell. */
function explain(complaint: string): { what: string; fix: string } {
  if (readSetting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return {
      what: 'AppArmor forbids user namespaces (kernel.apparmor_restrict_unprivileged_userns = 1)',
      fix: 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for bwrap that allows userns',
    }
  }
  if (readSetting('/proc/sys/kernel/unprivileged_userns_clone') === '0') {
    return { what: 'user namespaces are switched off', fix: 'sysctl -w kernel.unprivileged_userns_clone=1' }
  }
  if (readSetting('/proc/sys/user/max_user_namespaces') === '0') {
    return { what: 'no user namespaces are allowed', fix: 'sysctl -w user.max_user_namespaces=15000' }
  }
  return { what: `a sandbox does not start: ${complaint.trim() || 'no reason given'}`, fix: 'see docs/containers.md' }
}

function readSetting(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}
