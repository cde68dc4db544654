import type { ContainerSpec, Mount } from '../runtime.ts'

export const GUEST_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** File descriptors that the starter has open for bwrap, which closes them before the payload runs. */
export const STATUS_FD = 3
export const ARGS_FD = 4
export const SECCOMP_FD = 5

/** What of the host every sandbox sees, read-only. Not all of /etc/ssl: it may hold private keys. */
const SYSTEM = [
  ['--ro-bind', '/usr', '/usr'],
  ['--symlink', 'usr/bin', '/bin'],
  ['--symlink', 'usr/sbin', '/sbin'],
  ['--symlink', 'usr/lib', '/lib'],
  ['--symlink', 'usr/lib64', '/lib64'],
  ...[
    '/etc/ssl/certs',
    '/etc/ssl/openssl.cnf',
    '/etc/ca-certificates',
    '/etc/pki/tls/certs',
    '/etc/pki/ca-trust',
    '/etc/alternatives',
    '/etc/ld.so.cache',
    '/nix/store',
  ].map((path) => ['--ro-bind-try', path, path]),
]

/** File systems in memory, which without a size would each be half of the host's. */
const IN_MEMORY_MIB = { '/dev/shm': 256, '/tmp': 1024, '/run': 64, '/root': 1024 }

/** The files under /etc that are made for sandboxes, not taken from the host. */
export const GUEST_ETC = ['passwd', 'group', 'hosts', 'nsswitch.conf'] as const

/**
 * A fixed script; its arguments are data. It lets go of every descriptor above `$1` (a daemon may have inherited some
 * that its agents must not get), joins the cgroups named up to `--` and becomes the command.
 */
const PRELUDE = `keep=$1; shift
for fd in /proc/self/fd/*; do fd=\${fd##*/}; if ((fd > keep)); then exec {fd}>&-; fi; done
while [ "$1" != -- ]; do echo $$ > "$1" || exit 125; shift; done
shift; exec "$@"`

/**
 * Forbids the sandbox any user namespace of its own, as bwrap's `--disable-userns` does. That option hides the sandbox in a
 * second user namespace, which `nsenter` cannot get into without a process that holds the first one: no `exec` then.
 */
const FORBID_USER_NAMESPACES = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'

/**
 * The command that becomes the sandbox; it reads `sandboxArgs` from descriptor `ARGS_FD`. As root the agent's uid is taken
 * on before bwrap starts, so that nothing of bwrap ever runs as root. `cgroupFiles` are joined first.
 */
export function sandboxArgv(spec: ContainerSpec, cgroupFiles: readonly string[]): Argv {
  return [
    ...prelude(SECCOMP_FD, cgroupFiles),
    ...(spec.uid === undefined ? [] : ['setpriv', ...uidArgs(spec.uid), '--']),
    ...['unshare', '--user', '--map-root-user', '--', 'sh', '-c', FORBID_USER_NAMESPACES, 'sh'],
    ...['bwrap', '--args', String(ARGS_FD), '--'],
    ...spec.argv,
  ]
}

/**
 * What bwrap is told, apart from the payload: from a file, so that no host process shows it in its command line.
 * `etc` is a directory of the daemon's that holds the files of `GUEST_ETC`.
 */
export function sandboxArgs(spec: ContainerSpec, etc: string): string[] {
  return [
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(spec.network === 'none' ? ['--unshare-net'] : []),
    ...['--cap-drop', 'ALL', '--seccomp', String(SECCOMP_FD), '--new-session', '--hostname', spec.name],
    ...SYSTEM.flat(),
    ...GUEST_ETC.flatMap((file) => ['--ro-bind', `${etc}/${file}`, `/etc/${file}`]),
    ...(spec.network === 'host' ? ['--ro-bind-try', '/etc/resolv.conf', '/etc/resolv.conf'] : []),
    ...['--proc', '/proc', '--dev', '/dev'],
    ...Object.entries(IN_MEMORY_MIB).flatMap(([path, mib]) => ['--size', String(mib * 1024 * 1024), '--tmpfs', path]),
    // Nothing but its /dev/shm is there to be filled.
    ...['--remount-ro', '/dev'],
    ...spec.mounts.flatMap(mountArgs),
    ...['--chdir', spec.mounts.some(({ guest }) => guest === '/state') ? '/state' : '/', '--clearenv'],
    ...Object.entries({ PATH: GUEST_PATH, HOME: '/root', LANG: 'C.UTF-8', ...spec.env }).flatMap((entry) => [
      '--setenv',
      ...entry,
    ]),
    ...['--json-status-fd', String(STATUS_FD)],
    // Last: every mount point has been made, nothing else is to appear beside them.
    ...['--remount-ro', '/'],
  ]
}

const mountArgs = ({ host, guest, readOnly }: Mount): string[] => [readOnly ? '--ro-bind' : '--bind', host, guest]

/** Where to enter and as whom: a life, not what was applied since it began. */
export interface Entry extends Pick<ContainerSpec, 'uid' | 'network'> {
  readonly initPid: number
  readonly cgroupFiles: readonly string[]
  /** The command is killed when the process that began it ends, however that does. */
  readonly diesWithStarter?: boolean
}

/**
 * The command that runs `argv` inside the sandbox whose init is `initPid`, never as root of the host: a payload could have
 * prepared what root would load. As root the agent's uid is taken on before any namespace is entered. What `nsenter`
 * runs still has every capability in the sandbox: it is named by its path in the host's `/usr`, never looked up among
 * directories that the payload can make.
 */
export function execArgv(entry: Entry, argv: readonly string[]): Argv {
  const { initPid, uid, network, cgroupFiles, diesWithStarter = false } = entry
  // Twice: `nsenter` forks, and a child does not inherit it.
  const dies = diesWithStarter ? ['--pdeathsig', 'KILL'] : []
  return [
    ...prelude(2, cgroupFiles),
    ...['setpriv', '--no-new-privs', ...dies, ...uidArgs(uid), '--'],
    ...['nsenter', '-t', String(initPid), '-U', '--preserve-credentials', '-m', '-p', '-u', '-i', '-C'],
    // The host's network is not the sandbox's to enter, and not needed: whoever comes from there is in it.
    ...(network === 'none' ? ['-n'] : []),
    ...['-r', '-w'],
    ...['--', '/usr/bin/env', '-i', `PATH=${GUEST_PATH}`, 'HOME=/root', 'LANG=C.UTF-8'],
    ...['/usr/bin/setpriv', '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs', ...dies, '--'],
    ...argv,
  ]
}

export type Argv = readonly [string, ...string[]]

const prelude = (highestFd: number, cgroupFiles: readonly string[]): Argv => [
  // `--norc`: a bash whose stdin is a socket takes itself for a remote shell and would read one.
  ...(['bash', '--norc', '-c', PRELUDE, 'bash', String(highestFd)] as const),
  ...cgroupFiles,
  '--',
]

const uidArgs = (uid: number | undefined): string[] =>
  uid === undefined ? [] : ['--reuid', String(uid), '--regid', String(uid), '--clear-groups']
