import { existsSync, readFileSync } from 'node:fs'
import { run } from '../../kit/run.ts'
import { errorText } from '../../wire/errors.ts'
import { type Check, fail, ok } from './check.ts'

/** Neither an agent's nor a user's. */
const PROBE_UID = '1899999998'
const TIMEOUT_MS = 10_000

/** Starts a throw-away sandbox in the way agents get theirs: a version number proves nothing. */
export async function checkSandbox(uid: number): Promise<Check> {
  const who = uid === 0 ? 'as root, under another uid' : `as uid ${uid}`
  const complaint = await trySandbox(uid)
  if (complaint === undefined) return ok('sandbox', `starts and ends, ${who}`)
  const { why, fix } = explainSandbox(complaint, readSetting)
  return fail('sandbox', why, fix)
}

/** What the kernel or bubblewrap said; undefined when it worked. */
async function trySandbox(uid: number): Promise<string | undefined> {
  const takeOnUid = ['setpriv', '--reuid', PROBE_UID, '--regid', PROBE_UID, '--clear-groups', '--no-new-privs', '--']
  const [command, ...args] = [
    ...(uid === 0 ? takeOnUid : []),
    ...['bwrap', '--unshare-user', '--uid', '0', '--gid', '0', '--unshare-pid', '--unshare-ipc', '--unshare-uts'],
    ...['--unshare-net', '--disable-userns', '--cap-drop', 'ALL', '--new-session'],
    ...['--ro-bind', '/usr', '/usr', '--symlink', 'usr/bin', '/bin', '--symlink', 'usr/lib', '/lib'],
    ...['--symlink', 'usr/lib64', '/lib64', '--ro-bind-try', '/nix/store', '/nix/store'],
    ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--remount-ro', '/'],
    ...['--', '/usr/bin/env', 'true'],
  ]
  try {
    const { exitCode, stderr } = await run([command as string, ...args], { timeoutMs: TIMEOUT_MS })
    return exitCode === 0 ? undefined : stderr.trim() || `it exits with ${exitCode}`
  } catch (error) {
    return errorText(error)
  }
}

/** Why the kernel refused, as far as its settings tell. */
export function explainSandbox(
  complaint: string,
  setting: (path: string) => string | undefined,
): { why: string; fix: string } {
  if (setting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return {
      why: 'AppArmor forbids user namespaces, as on Ubuntu since 23.10 (kernel.apparmor_restrict_unprivileged_userns = 1)',
      fix: 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for bwrap that allows userns',
    }
  }
  if (setting('/proc/sys/kernel/unprivileged_userns_clone') === '0') {
    return { why: 'user namespaces are switched off', fix: 'sysctl -w kernel.unprivileged_userns_clone=1' }
  }
  if (setting('/proc/sys/user/max_user_namespaces') === '0') {
    return { why: 'no user namespaces are allowed', fix: 'sysctl -w user.max_user_namespaces=15000' }
  }
  return {
    why: `none starts: ${complaint}`,
    fix: 'inside another container? it must allow user namespaces, and mounts in them',
  }
}

const readSetting = (path: string): string | undefined =>
  existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
