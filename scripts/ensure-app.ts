import { existsSync, globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'

// Builds the dashboard's app for a daemon that runs from the sources, unless what is there is newer than they are.
const root = join(import.meta.dirname, '..')
const page = join(root, 'src/web/dist/index.html')
const timeOf = (path: string): number => statSync(path).mtimeMs
const sources = ['src/web/**/*.{ts,tsx,css,html}', 'src/wire/*.ts', 'package-lock.json'].flatMap((pattern) =>
  globSync(pattern, { cwd: root, exclude: ['src/web/dist/**'] }),
)
if (!existsSync(page) || sources.some((path) => timeOf(join(root, path)) > timeOf(page))) {
  process.stderr.write('building the dashboard\n')
  await build({ configFile: join(root, 'src/web/vite.config.ts'), logLevel: 'warn' })
}
