import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { build as buildApp } from 'vite'
import { bundlePrograms } from '../src/host/bundle.ts'

/**
 * Builds `dist/`: the daemon and the CLI with their shared pieces, the programs that run beside them as one file each, and in
 * `web/` the app that browsers get.
 * Node strips no types below node_modules, so an installed package runs from here.
 */
const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
rmSync(dist, { recursive: true, force: true })

const build = await rolldown({ input: { main: join(root, 'src/main.ts') }, platform: 'node', external: [/^[^./]/] })
await build.write({ dir: dist, format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name].js' })
await build.close()

for (const { name, code } of await bundlePrograms(join(root, 'src'))) writeFileSync(join(dist, `${name}.mjs`), code)
await buildApp({
  configFile: join(root, 'src/web/vite.config.ts'),
  logLevel: 'warn',
  build: { outDir: join(dist, 'web') },
})
process.stdout.write(`${execFileSync('du', ['-sh', dist], { encoding: 'utf8' })}${readdirSync(dist).join('\n')}\n`)
