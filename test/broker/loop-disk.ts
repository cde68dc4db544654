import { mkdirSync, mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../src/kit/run.ts'
import { installPackage } from './install-package.ts'

export interface LoopDisk extends AsyncDisposable {
  /** Where its file system is mounted. */
  readonly path: string
  /** What was not written through is gone, as at a power cut; afterwards nothing can be read or written until `mountAgain`. */
  cutPower(): Promise<void>
  mountAgain(): Promise<void>
}

async function must(...argv: [string, ...string[]]): Promise<void> {
  const { exitCode, stderr } = await run(argv, { timeoutMs: 30_000 })
  if (exitCode !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`)
}

/** Why there can be no such disk here; undefined when there can. Installs the tool for it as root on Debian. */
export async function whyNoLoopDisk(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root can mount'
  const hasTool = await run(['xfs_io', '-V']).then(
    () => true,
    () => false,
  )
  if (!hasTool && !(await installPackage('xfsprogs'))) return 'xfs_io (Debian package xfsprogs) is missing'
  try {
    await using _disk = await openLoopDisk(8)
    return undefined
  } catch (error) {
    return `no loop device can be mounted here: ${(error as Error).message}`
  }
}

/** An ext4 file system of its own, in a file. Throws when this machine does not let us. */
export async function openLoopDisk(mebibytes: number): Promise<LoopDisk> {
  const directory = mkdtempSync(join(tmpdir(), 'disk-'))
  const image = join(directory, 'image')
  const path = join(directory, 'mount')
  mkdirSync(path)
  writeFileSync(image, '')
  truncateSync(image, mebibytes * 1024 * 1024)
  const mount = () => must('mount', '-o', 'loop', image, path)
  try {
    await must('mkfs.ext4', '-q', '-F', image)
    await mount()
  } catch (error) {
    rmSync(directory, { recursive: true })
    throw error
  }
  return {
    path,
    // FS_IOC_SHUTDOWN without a flush of the log.
    cutPower: () => must('xfs_io', '-x', '-c', 'shutdown', path),
    async mountAgain() {
      await must('umount', path)
      await mount()
    },
    async [Symbol.asyncDispose]() {
      await must('umount', path)
      rmSync(directory, { recursive: true })
    },
  }
}

/** Leaves no block free, also of those kept for root: `filler` has them all. */
export function fillDisk(path: string, filler: string): void {
  const { bsize } = statfsSync(path)
  for (let blocks = 16_384; blocks > 0; ) {
    try {
      writeFileSync(filler, Buffer.alloc(blocks * bsize), { flag: 'a' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      blocks = Math.floor(blocks / 2)
    }
  }
}
