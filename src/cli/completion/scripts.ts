/** What a shell runs at start. Each asks `hive complete` for lines of `value<tab>about` that fit the word at the cursor. */
export const COMPLETION_SCRIPTS = {
  bash: `# hive: completion for bash. In ~/.bashrc: source <(hive complete bash)
_hive() {
  mapfile -t COMPREPLY < <(hive complete --words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1)
}
complete -o default -F _hive hive hive-c0re
`,
  zsh: `#compdef hive hive-c0re
# hive: completion for zsh. In ~/.zshrc, after compinit: source <(hive complete zsh)
_hive() {
  local -a found
  found=("\${(@f)$(hive complete --words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  found=("\${(@)found:#}")
  (( $#found )) || { _files; return }
  found=("\${(@)found/$'\\t'/:}")
  _describe hive found
}
compdef _hive hive hive-c0re
`,
  fish: `# hive: completion for fish. hive complete fish > ~/.config/fish/completions/hive.fish
function __hive_complete
    set -l words (commandline -opc) (commandline -ct)
    hive complete --words -- $words[2..-1] 2>/dev/null
end
complete -c hive -f -a '(__hive_complete)'
complete -c hive-c0re -f -a '(__hive_complete)'
`,
} as const

export type Shell = keyof typeof COMPLETION_SCRIPTS
export const isShell = (word: string | undefined): word is Shell =>
  word !== undefined && Object.hasOwn(COMPLETION_SCRIPTS, word)
