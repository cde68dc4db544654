import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { killDaemon, nextLine, spawnDaemon } from './other-daemon.ts'
import {
  type Capabilities,
  createSpec,
  FOREVER,
  launch,
  type MakeSubject,
  outputOf,
  type Subject,
  waitForExit,
  waitForLine,
} from './subject.ts'

const PERL = '/usr/bin/perl'
const SYSTEM_CALLS = {
  x64: { ptrace: 101, pidfd_getfd: 438, keyctl: 250, io_uring_setup: 425 },
  arm64: { ptrace: 117, pidfd_getfd: 438, keyctl: 219, io_uring_setup: 425 },
}[process.arch as string]

/** What a payload that is a plain process, without a system of its own around it, is kept from. */
export function testConfinement(make: MakeSubject, { confines, ownUids }: Capabilities): void {
  const run = async (subject: Subject, script: string): Promise<string[]> => {
    await launch(subject, 'h-a', script)
    await waitForExit(subject.runtime, 'h-a')
    return outputOf(subject.runtime, 'h-a')
  }
  const whichSucceed = (attempts: readonly string[]): string =>
    attempts.map((attempt) => `(${attempt}) >/dev/null 2>&1 && echo '${attempt}'`).join('; ')

  describe('confinement', { skip: !confines && 'this runtime does not confine its payloads so' }, () => {
    it('leaves no capability and allows no new privilege, in exec either', async () => {
      await using subject = await make()
      const look = 'grep -E "^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs):" /proc/self/status'
      await launch(subject, 'h-a', `${look}; echo end; ${FOREVER}`)
      await waitForLine(subject.runtime, 'h-a', 'end')
      const none = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'].map((set) => `${set}:\t0000000000000000`)
      const expected = [...none, 'NoNewPrivs:\t1']
      assert.deepEqual(await outputOf(subject.runtime, 'h-a'), [...expected, 'end'])
      const { stdout } = await subject.runtime.exec('h-a', ['sh', '-c', look])
      assert.deepEqual(stdout.trimEnd().split('\n'), expected)
    })

    it('makes no user namespace, nor any other, and cannot allow itself one', async () => {
      await using subject = await make()
      const attempts = whichSucceed([
        'unshare -U true',
        'unshare -Ur true',
        'unshare -m true',
        'unshare -n true',
        'echo 100 > /proc/sys/user/max_user_namespaces',
        'mount -t tmpfs none /tmp',
        'chroot / true',
      ])
      await launch(subject, 'h-a', `${attempts}; echo end; ${FOREVER}`)
      await waitForLine(subject.runtime, 'h-a', 'end')
      assert.deepEqual(await outputOf(subject.runtime, 'h-a'), ['end'])
      assert.equal((await subject.runtime.exec('h-a', ['sh', '-c', attempts])).stdout, '')
    })

    it('writes to what is its own and nowhere else', async () => {
      await using subject = await make()
      const closed = ['/', '/etc', '/usr', '/usr/local/bin', '/opt', '/var', '/proc/sys/kernel', '/sys', '/dev']
      const open = ['/root', '/tmp', '/run', '/dev/shm', '/state']
      const attempts = [...closed, ...open].map((place) => `touch ${join(place, 'x')}`)
      const expected = open.map((place) => `touch ${place}/x`)
      assert.deepEqual(await run(subject, whichSucceed(attempts)), expected)
    })

    it('has a bound on what it keeps in memory as files', async () => {
      await using subject = await make()
      const places = ['/root', '/tmp', '/run', '/dev/shm']
      const sizes = await run(subject, `df -P -B 1048576 ${places.join(' ')} | tail -n +2 | tr -s ' ' | cut -d' ' -f2`)
      assert.equal(sizes.length, places.length)
      assert.ok(
        sizes.every((mib) => Number(mib) <= 1024),
        sizes.join(' '),
      )
    })

    it('finds a /root, /tmp, /run and users of its own, and its name', async () => {
      await using subject = await make()
      const lines = await run(subject, 'ls -A /root /run /tmp; cut -d: -f1 /etc/passwd; hostname; ls /home /etc/shadow')
      assert.deepEqual(lines, ['/root:', '', '/run:', '', '/tmp:', 'root', 'nobody', 'h-a'])
    })

    it('finds no address family but those that are its own, and no way into other processes or the kernel', {
      skip: !(existsSync(PERL) && SYSTEM_CALLS) && `it takes ${PERL} and a known processor to try`,
    }, async () => {
      await using subject = await make()
      const { ptrace, pidfd_getfd, keyctl, io_uring_setup } = SYSTEM_CALLS as NonNullable<typeof SYSTEM_CALLS>
      // EAFNOSUPPORT is 97. Netlink sockets are raw.
      const families = `for $f (0 .. 45) { print "$f\\n" if socket($s, $f, $f == 16 ? 3 : 1, 0) || $! != 97 }`
      // Each would fail in another way, or not at all: PTRACE_TRACEME, no such descriptor, KEYCTL_GET_KEYRING_ID, no memory.
      const calls = [
        [pidfd_getfd, -1, 0, 0],
        [keyctl, 0, -3, 1],
        [io_uring_setup, 1, 0],
        [ptrace, 0, 0, 0, 0],
      ]
      // The filter holds for every process of the sandbox: one without could be made to act for the others.
      const filters = 'cat /proc/[0-9]*/status | grep ^Seccomp: | sort -u'
      // The first process of the sandbox takes its own when the payload has been born already.
      const settled = `until [ "$(${filters} | wc -l)" = 1 ]; do :; done`
      const tries = calls.map((call) => `print syscall(${call.join(', ')}) == -1 ? 0 + $! : "worked", "\\n"`)
      const script = ['$| = 1', families, ...tries].join('; ')
      const EPERM = '1'
      assert.deepEqual(await run(subject, `${settled}; ${filters}; exec ${PERL} -e '${script}'`), [
        'Seccomp:\t2',
        '1',
        '2',
        '10',
        '16',
        ...calls.map(() => EPERM),
      ])
    })

    it('has no device but the harmless ones, and can make none', async () => {
      await using subject = await make()
      const harmless = ['full', 'null', 'random', 'tty', 'urandom', 'zero'].map((name) => `/dev/${name}`)
      // Not by `find`: bwrap mounts each device over a plain file, which is what a directory listing tells.
      const list = 'for f in /dev/* /dev/*/*; do if [ ! -L $f ] && { [ -b $f ] || [ -c $f ]; }; then echo $f; fi; done'
      const devices = (await run(subject, list)).filter((device) => !device.startsWith('/dev/pts/'))
      assert.deepEqual(devices, harmless)
      await launch(subject, 'h-b', FOREVER)
      const attempts = whichSucceed(['mknod /tmp/x c 1 1', 'mknod /tmp/y b 8 0'])
      assert.equal((await subject.runtime.exec('h-b', ['sh', '-c', attempts])).stdout, '')
    })

    it('gets no descriptor and no variable of the daemon, nor does exec', async () => {
      await using subject = await make()
      const look = [
        // The fourth is the directory that `ls` reads.
        'echo $(ls /proc/self/fd)',
        `tr '\\0' '\\n' < /proc/$$/environ | cut -d= -f1 | sort | tr '\\n' ' '`,
        `cat /proc/[0-9]*/environ | grep -ac hush`,
        `ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c leak`,
      ].join('; echo; ')
      const daemon = spawnDaemon(subject, createSpec(subject, 'h-a', `${look}; echo end; ${FOREVER}`), {
        env: { ...process.env, HIVE_SECRET: 'hush' },
        leak: join(subject.scratch, 'leak'),
      })
      try {
        assert.equal(await nextLine(daemon, 'descriptors of exec: '), '0 1 2 3')
        await waitForLine(subject.runtime, 'h-a', 'end')
        const payload = await outputOf(subject.runtime, 'h-a')
        assert.deepEqual(payload.filter(Boolean), ['0 1 2 3', 'HOME LANG PATH PWD STATE ', '0', '0', 'end'])
        const { stdout } = await subject.runtime.exec('h-a', ['sh', '-c', look])
        assert.deepEqual(stdout.split('\n').filter(Boolean), ['0 1 2 3', 'HOME LANG PATH ', '0', '0'])
      } finally {
        await killDaemon(daemon)
      }
    })

    it('shows the environment of its spec in no command line of the host', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER, { env: { TOKEN: 'tok-4711-hush' } })
      const { stdout } = await subject.runtime.exec('h-a', ['sh', '-c', 'cat /proc/[0-9]*/environ'])
      assert.match(stdout, /tok-4711-hush/)
      const lines = commandLines()
      assert.ok(lines.some((line) => line.startsWith('sleep 1000')))
      assert.ok(!lines.some((line) => line.includes('tok-4711-hush')))
    })

    it('runs exec as the agent, whatever the payload prepared for it', async () => {
      await using subject = await make()
      const baits = ['env', 'setpriv', 'sh', 'bash', 'nsenter', 'id', 'touch', 'ld.so.preload']
      const bait = 'echo "#!/bin/sh\n/usr/bin/id > /state/bait-$$; exec /bin/sh" '
      const prepare = [
        // Whatever may be on the host's PATH, at whatever moment of an entry it is looked up in here.
        ...[
          ...['/tmp', '/run', '/root', '/state', '/usr/bin', '/usr/sbin', '/usr/local/bin', '/etc', '/bin', '/sbin'],
          ...['/run/wrappers/bin', '/run/current-system/sw/bin', '/nix/var/nix/profiles/default/bin', '/root/bin'],
        ].flatMap((place) => [
          `mkdir -p ${place}`,
          ...baits.map((name) => `${bait} > ${place}/${name}; chmod 777 ${place}/${name}`),
        ]),
        ...['.bashrc', '.profile', '.bash_profile'].map((name) => `echo 'touch /state/bait' > /root/${name}`),
        'cp -a /usr/bin/env /root/env; chmod 4777 /root/env /tmp/*',
        'cd /tmp',
      ]
      await launch(subject, 'h-a', `(${prepare.join('; ')}) 2>/dev/null; cd /tmp; echo end; ${FOREVER}`)
      await waitForLine(subject.runtime, 'h-a', 'end')
      for (const argv of [
        ['touch', '/state/made'],
        ['sh', '-c', 'touch /state/made-by-sh; id -u'],
        ['bash', '-lc', 'id'],
      ]) {
        assert.equal((await subject.runtime.exec('h-a', argv)).code, 0)
      }
      const state = join(subject.scratch, 'h-a')
      const files = readdirSync(state)
      assert.ok(files.includes('made') && files.includes('made-by-sh'))
      assert.deepEqual(
        files.filter((file) => file.startsWith('bait-')),
        [],
      )
      const owner = subject.uidOf(0) ?? process.getuid?.()
      assert.deepEqual(new Set(files.map((file) => statSync(join(state, file)).uid)), new Set([owner]))
    })

    it('runs each payload under a host uid of its own', {
      skip: !ownUids && 'the daemon is no root here',
    }, async () => {
      await using subject = await make()
      for (const [n, name] of ['h-a', 'h-b'].entries()) {
        const uid = subject.uidOf(n) as number
        await launch(subject, name, `cat /proc/self/uid_map; touch /state/f; id -u; echo end; ${FOREVER}`, { uid })
        await waitForLine(subject.runtime, name, 'end')
        const [map, inside] = await outputOf(subject.runtime, name)
        assert.deepEqual(map?.trim().split(/\s+/), ['0', String(uid), '1'])
        assert.equal(inside, '0')
        const { uid: owner, gid } = statSync(join(subject.scratch, name, 'f'))
        assert.deepEqual({ owner, gid }, { owner: uid, gid: uid })
      }
      assert.notEqual(subject.uidOf(0), subject.uidOf(1))
    })
  })
}

function commandLines(): string[] {
  const files = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => `/proc/${pid}/cmdline`)
  return files.filter(existsSync).map(readIfAlive)
}

function readIfAlive(file: string): string {
  try {
    return readFileSync(file, 'utf8').replaceAll('\0', ' ')
  } catch {
    return '' // It ended in between.
  }
}
