import { run } from '../../src/kit/run.ts'

/** Installs a package that a test needs, as root on Debian. False when that cannot be done here. */
export async function installPackage(name: string): Promise<boolean> {
  if (process.getuid?.() !== 0) return false
  try {
    const argv = ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', name] as const
    const { exitCode } = await run(argv, { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: 120_000 })
    return exitCode === 0
  } catch {
    return false // There is no apt-get, or it took too long.
  }
}
