import { posix } from 'node:path'
import { z } from 'zod'

const BashInput = z.looseObject({ command: z.string() })

/** More than one command, or more than its words say. */
const SHELL_SYNTAX = /[;&|<>(){}[\]$`\\*?~!#^\n\r]/
const wordsOf = (...lines: string[]) => new Set(lines.flatMap((line) => line.split(' ')))
/** Programs that start whatever their words or a file say: a pattern of one would allow everything. Without their versions. */
const STARTERS = wordsOf(
  'sh bash rbash dash ash zsh fish ksh mksh csh tcsh busybox toybox env exec eval source . command builtin coproc trap',
  'sudo doas su runuser pkexec setpriv nohup nice ionice chrt setsid timeout time flock stdbuf unbuffer script taskset numactl',
  'setarch linux32 linux64 i386 x86_64 prlimit choom faketime fakeroot xvfb-run dbus-run-session systemd-run start-stop-daemon',
  'xargs parallel find fd fdfind entr watch watchexec at batch crontab run-parts socat nc ncat netcat ssh scp sftp rsync',
  'docker podman nerdctl kubectl nsenter unshare bwrap firejail chroot proot capsh ld.so ld-linux-x86-64.so',
  'strace ltrace gdb lldb valgrind perf tmux screen byobu expect python pypy ipython node nodejs deno bun npx pnpx bunx uvx pipx',
  'tsx ts-node perl ruby irb php lua luajit tclsh wish guile Rscript R julia java groovy scala erl elixir ghci runghc osascript',
  'awk gawk mawk nawk original-awk sed ed ex vi vim nvim view emacs nano less more most man pager m4 dc bc sqlite psql mysql',
  'tar bsdtar cpio zip split openssl gcc cc clang tcc ansible',
)
/** Behind these, anything may be started: `npm exec`, `git rebase --exec`, `make --eval`. */
const OPEN_WORDS = wordsOf(
  'make gmake bmake ninja cmake ctest just rake ant mvn gradle sort',
  'exec execute x run r dlx create init foreach bisect rebase filter-branch config difftool mergetool submodule',
  'clone fetch pull push ls-remote archive grep alias script shell eval',
)
const VERSION = /[-.]?\d[\d.]*[a-z]?$/
const PROGRAM = /^[a-zA-Z0-9_./+-]+$/
const SUBCOMMAND = /^[a-zA-Z][a-zA-Z0-9:_-]*$/
/** Where an agent cannot write: what a path elsewhere runs is another program tomorrow. */
const FIXED_PLACES = ['/usr/', '/bin/', '/opt/hive/', '/config/']
const UNSEEN = /\p{C}/u
/** Of a pattern in `bash` of agent.json. */
const MAX_PATTERN = 256

/**
 * A pattern for `bash` of agent.json that allows a call of a tool and the like: its program with a subcommand, if it has one,
 * else the very command. Null where that would not only allow the like: another tool, shell syntax, a program that starts others
 * or that the agent can write.
 */
export function patternFor(tool: string, input: string): string | null {
  if (tool !== 'Bash') return null
  const command = commandOf(input)?.trim()
  if (!command || SHELL_SYNTAX.test(command)) return null
  const [program = '', first = '', ...more] = command.split(/[ \t]+/)
  const name = program.slice(program.lastIndexOf('/') + 1)
  if (!PROGRAM.test(program) || program.startsWith('-') || !isFixed(program) || startsOthers(name)) return null
  const isGeneral = SUBCOMMAND.test(first) && more.length > 0 && ![name, first].some((word) => OPEN_WORDS.has(word))
  const pattern = isGeneral ? `${program} ${first} *` : command
  return pattern.length <= MAX_PATTERN && !UNSEEN.test(pattern) ? pattern : null
}

const startsOthers = (name: string): boolean => STARTERS.has(name) || STARTERS.has(name.replace(VERSION, ''))

const isFixed = (program: string): boolean =>
  !program.includes('/') ||
  (posix.normalize(program) === program && FIXED_PLACES.some((one) => program.startsWith(one)))

/** Undefined where the input is cut, or no input of Bash. */
function commandOf(input: string): string | undefined {
  try {
    return BashInput.safeParse(JSON.parse(input)).data?.command
  } catch {
    return undefined
  }
}

/** Whether what `pattern` allows is allowed by one of `patterns` already. */
export const isCovered = (patterns: readonly string[], pattern: string): boolean =>
  patterns.some((one) => {
    const words = one.match(/^(.+?)(?: |:)\*$/)?.[1]
    return (
      one === '*' || one === pattern || (words !== undefined && (pattern === words || pattern.startsWith(`${words} `)))
    )
  })
