import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../../kit/run.ts'
import { errorText } from '../../../wire/errors.ts'
import { HOST_PATH } from '../../host-path.ts'
import type { ContainerRuntime, Probe } from '../runtime.ts'

type Problem = Probe['problems'][number]

/** Uid for the throw-away sandbox when the daemon is root: above every agent's. */
const PROBE_UID = 1_999_999_999

export interface ProbeOptions {
  readonly stateDir: string
  readonly limits: () => Probe['limits']
  readonly openRuntime: (stateDir: string) => ContainerRuntime
}

/** Starts, enters and stops a throw-away sandbox; names what keeps it from running, each with its fix. Never throws. */
export async function probeBubblewrap({ stateDir, limits, openRuntime }: ProbeOptions): Promise<Probe> {
  const problems: Problem[] = findMissing()
  if (problems.length === 0) problems.push(...(await trySandbox(stateDir, openRuntime)))
  return { ok: problems.length === 0, problems, version: await readVersion(), limits: limits() }
}

const PACKAGES = {
  bwrap: 'bubblewrap',
  setpriv: 'util-linux',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  bash: 'bash',
}

/** Commands that are not there. `directories` is where they are looked for. */
export function findMissing(directories = HOST_PATH.split(':')): Problem[] {
  return Object.entries(PACKAGES)
    .filter(([command]) => !directories.some((directory) => existsSync(join(directory, command))))
    .map(([command, name]) => ({ what: `${command} is not installed`, fix: `apt-get install ${name}` }))
}

async function readVersion(): Promise<string> {
  try {
    return (await run(['bwrap', '--version'], { env: { PATH: HOST_PATH } })).stdout.trim()
  } catch {
    return '' // It is not installed, which stands among the problems.
  }
}

async function trySandbox(stateDir: string, openRuntime: ProbeOptions['openRuntime']): Promise<Problem[]> {
  let directory: string | undefined
  try {
    directory = mkdtempSync(join(stateDir, '.probe-'))
    chmodSync(directory, 0o711)
    const runtime = openRuntime(directory)
    const uid = process.getuid?.() === 0 ? PROBE_UID : undefined
    const spec = {
      name: 'probe',
      app: 'none',
      argv: ['sleep', '60'],
      env: {},
      mounts: [],
      uid,
      network: 'none',
      limits: {},
    } as const
    await runtime.apply(spec, { reference: 'probe', revision: 'probe' })
    try {
      await runtime.start('probe')
      const { code, stderr } = await runtime.exec('probe', ['true'], { timeoutMs: 10_000 })
      return code === 0
        ? []
        : [{ what: `a sandbox cannot be entered: ${stderr.trim()}`, fix: 'see docs/containers.md' }]
    } finally {
      await runtime.remove('probe')
    }
  } catch (error) {
    return [explainRefusal(errorText(error), readSetting)]
  } finally {
    if (directory) rmSync(directory, { recursive: true })
  }
}

/** Why the kernel refused, as far as its settings under /proc/sys tell; `setting` reads one of them. */
export function explainRefusal(complaint: string, setting: (path: string) => string | undefined): Problem {
  if (setting('kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return {
      what: 'AppArmor forbids user namespaces (kernel.apparmor_restrict_unprivileged_userns = 1)',
      fix: 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (and the same line in a file of /etc/sysctl.d)',
    }
  }
  if (setting('kernel/unprivileged_userns_clone') === '0') {
    return {
      what: 'user namespaces are switched off (kernel.unprivileged_userns_clone = 0)',
      fix: 'sysctl -w kernel.unprivileged_userns_clone=1',
    }
  }
  if (setting('user/max_user_namespaces') === '0') {
    return {
      what: 'no user namespaces are allowed (user.max_user_namespaces = 0)',
      fix: 'sysctl -w user.max_user_namespaces=15000',
    }
  }
  return { what: complaint, fix: 'see docs/containers.md' }
}

function readSetting(path: string): string | undefined {
  const file = join('/proc/sys', path)
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
}
