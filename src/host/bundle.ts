import { join } from 'node:path'

/** The programs that run beside the daemon: in containers, or as processes that outlive it. Each becomes one file. */
export const PROGRAMS = { harness: 'harness/main.ts', gateway: 'gateway/main.ts', model: 'demo/main.ts' } as const

export interface Bundle {
  /** `harness`, of `harness.mjs`. */
  readonly name: string
  readonly code: string
}

/** Bundles the programs from the sources in `src`; needs the development dependencies. */
export const bundlePrograms = (src: string): Promise<Bundle[]> =>
  Promise.all(Object.entries(PROGRAMS).map(async ([name, entry]) => ({ name, code: await bundle(join(src, entry)) })))

async function bundle(input: string): Promise<string> {
  const { rolldown } = await import('rolldown')
  const build = await rolldown({ input, platform: 'node', logLevel: 'silent' })
  const { output } = await build.generate({ format: 'esm', codeSplitting: false })
  await build.close()
  return output[0].code
}
