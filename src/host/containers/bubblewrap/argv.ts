import type { ContainerSpec, Mount } from '../runtime.ts'

/** What of the host every sandbox sees, read-only. */
const SYSTEM = [
  ['--ro-bind', '/usr', '/usr'],
  ['--symlink', 'usr/bin', '/bin'],
  ['--symlink', 'usr/sbin', '/sbin'],
  ['--symlink', 'usr/lib', '/lib'],
  ['--symlink', 'usr/lib64', '/lib64'],
  ['--ro-bind-try', '/etc/ssl', '/etc/ssl'],
  ['--ro-bind-try', '/etc/ca-certificates', '/etc/ca-certificates'],
  ['--ro-bind-try', '/etc/alternatives', '/etc/alternatives'],
  ['--ro-bind-try', '/etc/ld.so.cache', '/etc/ld.so.cache'],
  ['--ro-bind-try', '/etc/nix', '/etc/nix'],
  ['--ro-bind-try', '/nix/store', '/nix/store'],
] as const

export const GUEST_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** File descriptors that the sandbox's starter has open for bwrap. */
export interface Descriptors {
  readonly status: number
}

/**
 * Forbids the sandbox any user namespace of its own, as bwrap's `--disable-userns` does. That option hides the sandbox in a
 * second user namespace, which `nsenter` cannot get into without a process that holds the first one: no `exec` then.
 */
const FORBID_USER_NAMESPACES = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'

/**
 * The command that becomes the sandbox. `etc` is a directory of the daemon's with passwd, group, hosts and nsswitch.conf.
 * As root the agent's uid is taken on before bwrap starts, so that nothing of bwrap ever runs as root.
 */
export function bubblewrapArgv(spec: ContainerSpec, etc: string, { status }: Descriptors): [string, ...string[]] {
  const takeOnUid =
    spec.uid === undefined
      ? []
      : ['setpriv', '--reuid', String(spec.uid), '--regid', String(spec.uid), '--clear-groups', '--no-new-privs', '--']
  const bwrap = [
    ...['unshare', '--user', '--map-root-user', '--', '/bin/sh', '-c', FORBID_USER_NAMESPACES, 'sh'],
    'bwrap',
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(spec.network === 'none' ? ['--unshare-net'] : []),
    ...['--cap-drop', 'ALL'],
    '--new-session',
    ...['--hostname', spec.name],
    ...SYSTEM.flat(),
    ...['passwd', 'group', 'hosts', 'nsswitch.conf'].flatMap((file) => ['--ro-bind', `${etc}/${file}`, `/etc/${file}`]),
    ...(spec.network === 'host' ? ['--ro-bind-try', '/etc/resolv.conf', '/etc/resolv.conf'] : []),
    ...['--proc', '/proc', '--dev', '/dev'],
    ...['--tmpfs', '/tmp', '--tmpfs', '/run', '--tmpfs', '/root'],
    ...spec.mounts.flatMap(mountArgs),
    ...['--chdir', spec.mounts.some(({ guest }) => guest === '/state') ? '/state' : '/'],
    '--clearenv',
    ...Object.entries({ PATH: GUEST_PATH, HOME: '/root', LANG: 'C.UTF-8', ...spec.env }).flatMap(([name, value]) => [
      '--setenv',
      name,
      value,
    ]),
    ...['--json-status-fd', String(status)],
    // Last: the root directory holds mount points only.
    ...['--remount-ro', '/'],
    '--',
    ...spec.argv,
  ]
  const [command, ...args] = [...takeOnUid, ...bwrap]
  return [command as string, ...args]
}

const mountArgs = ({ host, guest, readOnly }: Mount): string[] => [readOnly ? '--ro-bind' : '--bind', host, guest]

/**
 * The command that runs `argv` inside a sandbox whose first process is `pid`, never as root of the host: a payload could have
 * prepared what root would load. As root the agent's uid is taken on before any namespace is entered.
 */
export function execArgv(pid: number, uid: number | undefined, argv: readonly string[]): [string, ...string[]] {
  const takeOnUid =
    uid === undefined ? [] : ['setpriv', '--reuid', String(uid), '--regid', String(uid), '--clear-groups', '--']
  const [command, ...args] = [
    ...takeOnUid,
    ...['nsenter', '-t', String(pid), '-U', '--preserve-credentials', '-m', '-p', '-u', '-i', '-C', '-n', '-r', '-w'],
    ...['env', '-i', `PATH=${GUEST_PATH}`, 'HOME=/root', 'LANG=C.UTF-8'],
    ...['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs', '--'],
    ...argv,
  ]
  return [command as string, ...args]
}
