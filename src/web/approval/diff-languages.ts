/** Languages in which a change of a configuration is coloured, by the names that files have them by; each is a file of its own in the build. */
export const DIFF_LANGUAGES = [
  ...[
    'css',
    'diff',
    'dockerfile',
    'go',
    'html',
    'ini',
    'javascript',
    'json',
    'json5',
    'jsonc',
    'jsx',
    'makefile',
    'markdown',
  ],
  ...['nix', 'python', 'rust', 'sql', 'systemd', 'toml', 'tsx', 'typescript', 'xml', 'yaml', 'yml', 'zsh'],
] as const

/** Themes in which every colour has the contrast that people need; those of the library have not. */
export const DIFF_THEMES = { dark: 'github-dark-high-contrast', light: 'github-light-high-contrast' } as const
