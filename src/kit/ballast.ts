import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export interface Ballast {
  /** Space was given back and has not been taken again. */
  readonly isReleased: boolean
  /** Gives its space back to the file system. False when there was none to give. */
  release(): boolean
  /** Takes the space again once there is plenty. Gives whether it holds it now. */
  restore(): boolean
}

/** Plenty: after taking the space again, so many times as much is still free. */
const MARGIN = 2

/** A file that keeps `bytes` of disk in reserve, so that a full disk leaves room for what must go on. */
export function createBallast(path: string, bytes: number): Ballast {
  let isReleased = false
  const take = (): boolean => {
    const { bavail, bsize } = statfsSync(dirname(path))
    if (bavail * bsize < bytes * (1 + MARGIN)) return false
    try {
      writeFileSync(path, Buffer.alloc(bytes), { mode: 0o600 })
      return true
    } catch {
      // Somebody else was faster, or a quota is smaller than the disk. Half a ballast is none.
      rmSync(path, { force: true })
      return false
    }
  }
  if (!existsSync(path)) isReleased = !take()
  return {
    get isReleased() {
      return isReleased
    },
    release() {
      if (!existsSync(path)) return false
      rmSync(path)
      isReleased = true
      return true
    },
    restore() {
      if (isReleased) isReleased = !take()
      return !isReleased
    },
  }
}
