import type { Mount } from '../runtime.ts'

/** The host's path for a guest's: the mount that covers it most closely decides; others stay as they are. */
export function toHostPath(text: string, mounts: readonly Mount[]): string {
  const mount = mounts
    .filter(({ guest }) => text === guest || text.startsWith(`${guest}/`))
    .sort((a, b) => b.guest.length - a.guest.length)[0]
  return mount ? mount.host + text.slice(mount.guest.length) : text
}
