import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findTestClaude } from '../../test/test-model.ts'
import type { ModelServer } from './model-server.ts'

/** A line that claude prints. */
export type Line = Record<string, unknown> & {
  type: string
  subtype?: string
  message?: { content: Record<string, unknown>[] }
}

/** For tests: the real engine against a scripted model, one process, stream-json both ways. */
export function startClaude(model: ModelServer, credentials: Record<string, string>) {
  const home = mkdtempSync(join(tmpdir(), 'demo-claude-'))
  const child = spawn(
    findTestClaude(),
    [
      '--print',
      '--input-format=stream-json',
      '--output-format=stream-json',
      '--verbose',
      '--model=haiku',
      '--tools=Bash,Write',
      '--allowedTools=Bash,Write',
      '--setting-sources=',
    ],
    {
      cwd: home,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        PATH: process.env.PATH,
        HOME: home,
        CLAUDE_CONFIG_DIR: join(home, 'config'),
        CLAUDE_CODE_TMPDIR: home,
        ANTHROPIC_BASE_URL: model.url,
        CLAUDE_CODE_MAX_RETRIES: '1',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
        DISABLE_AUTOUPDATER: '1',
        ...credentials,
      },
    },
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    /** Everything that it says up to the end of the turn. */
    async turn(prompt: string): Promise<Line[]> {
      child.stdin.write(`${JSON.stringify({ type: 'user', message: { role: 'user', content: prompt } })}\n`)
      const said: Line[] = []
      while (said.at(-1)?.type !== 'result') {
        const { value, done } = await lines.next()
        if (done) throw new Error(`claude ended in the turn "${prompt}"`)
        said.push(JSON.parse(value))
      }
      return said
    },
    async close(): Promise<void> {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      rmSync(home, { recursive: true, maxRetries: 5 })
    },
  }
}
