import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

export const NODE = process.execPath
export const MAIN = join(import.meta.dirname, '../main.ts')
export const ENV = { PATH: process.env.PATH ?? '', TZ: 'UTC', TERM: 'xterm-256color' }

/** What is typed each time that a text is on the terminal: what came before it would be taken for nothing. */
export type Typed = readonly [prompt: string, ...answers: string[]]

/** Starts the whole program as a process of its own, for the hive of this run directory. */
export const startHive = (runDir: string, args: readonly string[], env = {}): ChildProcessWithoutNullStreams =>
  spawn(NODE, [MAIN, ...args, '--run-dir', runDir], { env: { ...ENV, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })

/** Runs it to its end in a pipe. */
export async function runPiped(runDir: string, args: readonly string[], env = {}, stdin = '') {
  const child = startHive(runDir, args, env)
  child.stdin.end(stdin)
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, out, err }
}

/** Runs it to its end on a terminal; stdout and stderr come together there. */
export async function runOnTerminal(
  runDir: string,
  args: readonly string[],
  { env = {}, typed, cells = 80 }: { env?: NodeJS.ProcessEnv; typed?: Typed; cells?: number } = {},
) {
  const words = [NODE, MAIN, ...args, '--run-dir', runDir].map((word) => `'${word}'`)
  const child = spawn('script', ['-qec', `stty cols ${cells}; ${words.join(' ')}`, '/dev/null'], {
    env: { ...ENV, ...env },
  })
  if (typed) {
    const [prompt, ...answers] = typed
    let seen = ''
    child.stdout.on('data', (chunk) => {
      seen += chunk
      while (answers.length > 0 && seen.includes(prompt)) {
        seen = seen.slice(seen.indexOf(prompt) + prompt.length)
        child.stdin.write(answers.shift() ?? '')
      }
    })
  }
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  return { code, out: out.replaceAll('\r\n', '\n') }
}
