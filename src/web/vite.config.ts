import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, gzipSync } from 'node:zlib'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'
import { diffBundle } from './approval/diff-bundle.ts'

/** Lays a compressed copy beside each text: the server sends that, and compresses nothing itself. */
const compressed = (): Plugin => ({
  name: 'compressed',
  apply: 'build',
  writeBundle({ dir = '' }) {
    for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
      if (!/\.(js|css|html|svg)$/.test(name)) continue
      const path = join(dir, name)
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: constants.Z_BEST_COMPRESSION }))
    }
  },
})

/** The app as the daemon serves it: `dist/` beside this file, or where `--outDir` says. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), tailwindcss(), diffBundle(), compressed()],
  worker: { format: 'es', plugins: () => [diffBundle()] },
  build: {
    outDir: join(import.meta.dirname, 'dist'),
    emptyOutDir: true,
    target: 'es2023',
    // The policy of the page allows files of its own only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    rolldownOptions: {
      // Together, so that zod knows that it may make no code before any other file makes a schema.
      output: { codeSplitting: { groups: [{ name: 'zod', test: /node_modules\/zod\/|api\/no-eval/ }] } },
    },
  },
})
