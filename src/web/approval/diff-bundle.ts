import type { Plugin } from 'vite'
import { DIFF_LANGUAGES, DIFF_THEMES } from './diff-languages.ts'

const loaders = (names: readonly string[], from: string): string =>
  names.map((name) => `${JSON.stringify(name)}: () => import('${from}/${name}')`).join(', ')

/** What stands in place of modules that would bring every language and theme there is, and engines that are not used. */
const INSTEAD: Readonly<Record<string, string>> = {
  'shiki/langs': `export const bundledLanguages = { ${loaders(DIFF_LANGUAGES, '@shikijs/langs')} }`,
  '@pierre/theming/themes': `
    const loaders = { ${loaders(Object.values(DIFF_THEMES), '@shikijs/themes')} }
    export const themes = { getTheme: (name) => loaders[name] && { load: loaders[name] } }`,
  '@pierre/highlights/themes/loader': 'export const themes = {}',
  'shiki/engine/oniguruma': `export const createOnigurumaEngine = () => { throw new Error('not in this build') }`,
  'shiki/wasm': 'export default undefined',
}
const HIGHLIGHTS = /\/highlights(?:-[\w-]+)?\.js$/
const NO_HIGHLIGHTS = `export class HighlightsHighlighter { constructor() { throw new Error('not in this build') } }`

/** Leaves out of the build what the diff never uses: hundreds of files. For the app's plugins, and for those of its workers. */
export const diffBundle = (): Plugin => ({
  name: 'diff-bundle',
  enforce: 'pre',
  resolveId(source, importer) {
    if (Object.hasOwn(INSTEAD, source)) return `\0diff:${source}`
    const isBackend = HIGHLIGHTS.test(source) && importer?.includes('/@pierre/diffs/')
    return isBackend ? '\0diff:highlights' : undefined
  },
  load(id) {
    if (id === '\0diff:highlights') return NO_HIGHLIGHTS
    return id.startsWith('\0diff:') ? INSTEAD[id.slice('\0diff:'.length)] : undefined
  },
})
