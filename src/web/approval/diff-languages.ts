/** Languages in which a change of a configuration is coloured, by their names in shiki; each is a file of its own in the build. */
export const DIFF_LANGUAGES = [
  ...['css', 'diff', 'docker', 'go', 'html', 'ini', 'javascript', 'json', 'json5', 'jsonc', 'jsx', 'make', 'markdown'],
  ...['nix', 'python', 'rust', 'shellscript', 'sql', 'toml', 'tsx', 'typescript', 'xml', 'yaml'],
] as const

/** Themes in which every colour has the contrast that people need; those of the library have not. */
export const DIFF_THEMES = { dark: 'github-dark-high-contrast', light: 'github-light-high-contrast' } as const
