import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ContainerSpec } from '../runtime.ts'
import { execArgv, sandboxArgs, sandboxArgv } from './argv.ts'

const SPEC: ContainerSpec = {
  name: 'h-bob',
  app: 'r1',
  argv: ['/opt/hive/node', '/opt/hive/harness.mjs'],
  env: { HIVE_LABEL: 'bob', PATH: '/opt/hive:/usr/bin' },
  mounts: [
    { host: '/var/lib/hyperhive/app/1', guest: '/opt/hive', readOnly: true },
    { host: '/var/lib/hyperhive/agents/bob/state', guest: '/state', readOnly: false },
  ],
  uid: 1_900_000_001,
  network: 'none',
  limits: {},
}

/** The prelude is one fixed script: what matters is what it is given. */
const withoutScript = (argv: readonly string[]): string => argv.filter((arg) => !arg.includes('\n')).join(' ')

describe('sandboxArgv', () => {
  it('joins cgroups, takes on the uid, makes the user namespace, and only then runs bwrap', () => {
    assert.equal(
      withoutScript(sandboxArgv(SPEC, ['/sys/fs/cgroup/hive/h-bob/cgroup.procs'])),
      'bash --norc -c bash 5 /sys/fs/cgroup/hive/h-bob/cgroup.procs -- ' +
        'setpriv --reuid 1900000001 --regid 1900000001 --clear-groups -- ' +
        'unshare --user --map-root-user -- ' +
        'sh -c echo 0 > /proc/sys/user/max_user_namespaces && exec "$@" sh ' +
        'bwrap --args 4 -- /opt/hive/node /opt/hive/harness.mjs',
    )
  })

  it('keeps the uid of a daemon that is an ordinary user', () => {
    assert.doesNotMatch(sandboxArgv({ ...SPEC, uid: undefined }, []).join(' '), /setpriv/)
  })

  it('carries nothing of the environment', () => {
    assert.doesNotMatch(sandboxArgv({ ...SPEC, env: { TOKEN: 'hush' } }, []).join(' '), /hush/)
  })
})

describe('sandboxArgs', () => {
  it('tells bwrap all there is, in this order', () => {
    assert.equal(
      sandboxArgs(SPEC, '/etc-of-guests').join(' '),
      [
        '--unshare-pid --unshare-ipc --unshare-uts --unshare-cgroup-try --unshare-net',
        '--cap-drop ALL --seccomp 5 --new-session --hostname h-bob',
        '--ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/sbin /sbin --symlink usr/lib /lib --symlink usr/lib64 /lib64',
        '--ro-bind-try /etc/ssl/certs /etc/ssl/certs --ro-bind-try /etc/ssl/openssl.cnf /etc/ssl/openssl.cnf',
        '--ro-bind-try /etc/ca-certificates /etc/ca-certificates --ro-bind-try /etc/pki/tls/certs /etc/pki/tls/certs',
        '--ro-bind-try /etc/pki/ca-trust /etc/pki/ca-trust --ro-bind-try /etc/alternatives /etc/alternatives',
        '--ro-bind-try /etc/ld.so.cache /etc/ld.so.cache --ro-bind-try /nix/store /nix/store',
        '--ro-bind /etc-of-guests/passwd /etc/passwd --ro-bind /etc-of-guests/group /etc/group',
        '--ro-bind /etc-of-guests/hosts /etc/hosts --ro-bind /etc-of-guests/nsswitch.conf /etc/nsswitch.conf',
        '--proc /proc --dev /dev --size 268435456 --tmpfs /dev/shm --size 1073741824 --tmpfs /tmp',
        '--size 67108864 --tmpfs /run --size 1073741824 --tmpfs /root --remount-ro /dev',
        '--ro-bind /var/lib/hyperhive/app/1 /opt/hive --bind /var/lib/hyperhive/agents/bob/state /state',
        '--chdir /state --clearenv --setenv PATH /opt/hive:/usr/bin --setenv HOME /root --setenv LANG C.UTF-8',
        '--setenv HIVE_LABEL bob --json-status-fd 3 --remount-ro /',
      ].join(' '),
    )
  })

  it('shares the host’s network only when told to', () => {
    const args = sandboxArgs({ ...SPEC, network: 'host' }, '/e').join(' ')
    assert.doesNotMatch(args, /--unshare-net/)
    assert.match(args, /--ro-bind-try \/etc\/resolv.conf/)
  })
})

describe('execArgv', () => {
  it('takes on the uid before it enters, and lets go of every capability before the command', () => {
    assert.equal(
      withoutScript(
        execArgv({ initPid: 77, uid: 1_900_000_001, network: 'none', cgroupFiles: ['/cg/procs'] }, ['ls', '-l']),
      ),
      'bash --norc -c bash 2 /cg/procs -- ' +
        'setpriv --no-new-privs --reuid 1900000001 --regid 1900000001 --clear-groups -- ' +
        'nsenter -t 77 -U --preserve-credentials -m -p -u -i -C -n -r -w -- ' +
        '/usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 ' +
        '/usr/bin/setpriv --bounding-set=-all --inh-caps=-all --no-new-privs -- ls -l',
    )
  })
})
