import { spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cli } from './cli.ts'

/** Whether somebody sits at a screen of this machine, as far as can be told. */
export const hasScreen = ({ io, env }: Pick<Cli, 'io' | 'env'>): boolean =>
  io.out.isTTY && Boolean(env.DISPLAY || env.WAYLAND_DISPLAY)

/**
 * Opens a link that holds a secret in the browser of the desktop. The browser is given a file that leads there: what stands on
 * a command line is seen by everybody on the machine. Resolves with whether a browser took it.
 */
export async function openBrowser({ env }: Pick<Cli, 'env'>, url: string, directory: string): Promise<boolean> {
  const file = join(directory, 'open.html')
  // A file of an earlier time may have been made with another mode.
  rmSync(file, { force: true })
  writeFileSync(file, leadingTo(url), { mode: 0o600, flag: 'wx' })
  const browser = spawn('xdg-open', [file], { env, stdio: 'ignore', detached: true })
  browser.unref()
  return new Promise((resolve) => {
    browser.once('spawn', () => resolve(true))
    // There is none: the link is printed anyway.
    browser.once('error', () => resolve(false))
  })
}

const leadingTo = (url: string): string =>
  `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; url=${url}"><title>hyperhive</title>\n`
