import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { findTestClaude } from '../../../test/test-model.ts'
import { createNotifier } from '../../kit/notifier.ts'
import { LoginProgram, type LoginProgramOptions, type LoginReport } from './login-program.ts'

describe('a login over pipes', { timeout: 60_000 }, () => {
  let home: string
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'login-'))
  })
  afterEach(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }))

  const open = (options: Partial<LoginProgramOptions> = {}) => {
    const changes = createNotifier()
    const reports: LoginReport[] = []
    const program = new LoginProgram({
      path: findTestClaude(),
      cwd: home,
      // Nobody listens there: nothing of this reaches a provider, wherever it runs.
      env: () => ({
        PATH: process.env.PATH ?? '',
        HOME: home,
        CLAUDE_CONFIG_DIR: home,
        HTTPS_PROXY: 'http://127.0.0.1:1',
      }),
      onLoggedIn: async () => undefined,
      onChange() {
        reports.push(program.report)
        changes.notify()
      },
      ...options,
    })
    return {
      program,
      reports,
      /** Resolves with the report once `holds`. */
      async sees(holds: (report: LoginReport) => boolean) {
        while (!holds(program.report)) await changes.wait(60_000, new AbortController().signal)
        return program.report
      },
    }
  }
  /** A program that stands in for what needs a provider. */
  const script = (lines: string) => {
    const path = join(home, 'program')
    writeFileSync(path, `#!/bin/sh\n${lines}\n`)
    chmodSync(path, 0o755)
    return path
  }
  const isIn = (directory: string) => (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HOME=${directory}\0`)
    } catch {
      return false // It has ended.
    }
  }
  const processes = () =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter(isIn(home))

  for (const [method, page] of [
    ['claudeai', 'https://claude.com/cai/oauth/authorize?'],
    ['console', 'https://platform.claude.com/oauth/authorize?'],
  ] as const) {
    test(`with ${method}: the real program shows its page, refuses a wrong code, and says why a login fails`, async () => {
      const { program, sees } = open()
      await program.start(method)
      const waiting = await sees(({ state }) => state === 'waiting')
      assert.ok(waiting.url?.startsWith(page), waiting.url ?? 'no URL')
      assert.match(waiting.url ?? '', /&state=[\w-]+$/, 'to its end')
      assert.doesNotMatch(waiting.output, /https:/)
      program.code('wrong')
      const refused = await sees(({ problem }) => problem !== null)
      assert.equal(refused.state, 'waiting')
      assert.match(refused.problem ?? '', /full code/)
      assert.equal(refused.url, waiting.url)
      // Here it would contact the provider.
      program.code('abc#def')
      const failed = await sees(({ state }) => state === 'failed')
      assert.match(failed.problem ?? '', /^Couldn't log in: /)
      assert.deepEqual([failed.url, processes()], [null, []])
    })
  }

  test('ends with everything that it started when it is given up', async () => {
    const { program, sees } = open()
    await program.start('claudeai')
    await sees(({ state }) => state === 'waiting')
    assert.notDeepEqual(processes(), [])
    await program.cancel()
    assert.deepEqual([program.report.state, program.report.problem], ['cancelled', null])
    assert.deepEqual(processes(), [])
    await program.cancel()
  })

  test('is killed when it does not listen, and given up when nobody comes', async () => {
    const path = script(`trap '' TERM; sleep 613 & echo 'visit: https://claude.com/x '; wait; wait`)
    const { program, sees } = open({ path, timeoutMs: 300, patienceMs: 100 })
    await program.start('claudeai')
    const failed = await sees(({ state }) => state === 'failed')
    assert.equal(failed.problem, 'no code came in time')
    assert.deepEqual(processes(), [])
  })

  test('is one at a time: a new one ends the one before, and only its news are told', async () => {
    const path = script(`echo "visit: https://claude.com/$$ "; exec sleep 613`)
    const { program, reports, sees } = open({ path })
    await program.start('claudeai')
    const { url } = await sees(({ state }) => state === 'waiting')
    await program.start('console')
    await sees((report) => report.state === 'waiting' && report.url !== url)
    assert.equal(processes().length, 1)
    assert.ok(reports.every(({ state }) => state === 'starting' || state === 'waiting'))
    await program.cancel()
  })

  test('is done once the engine takes it; codes and tokens are never told', async () => {
    const path = script(
      `echo 'visit: https://claude.com/x '; read code; echo "got $code, made sk-ant-oat01-abc_DEF-9"; echo "$code ok" >&2`,
    )
    const { program, reports, sees } = open({ path })
    await program.start('claudeai')
    await sees(({ state }) => state === 'waiting')
    program.code('s3cret#state')
    const done = await sees(({ state }) => state === 'done')
    assert.equal(done.problem, null)
    assert.match(done.output, /got \[code\], made \[token\]/)
    assert.doesNotMatch(JSON.stringify(reports), /s3cret|sk-ant/)

    const other = open({ path, onLoggedIn: async () => 'Claude Code has no login' })
    await other.program.start('claudeai')
    await other.sees(({ state }) => state === 'waiting')
    other.program.code('s3cret#state')
    assert.equal((await other.sees(({ state }) => state === 'failed')).problem, 'Claude Code has no login')
  })

  test('fails with a reason when it cannot be begun, or ends without one', async () => {
    const keyed = open({ findObstacle: () => 'ANTHROPIC_API_KEY is in its environment' })
    await keyed.program.start('claudeai')
    assert.deepEqual(keyed.reports, [
      { state: 'failed', url: null, output: '', problem: 'ANTHROPIC_API_KEY is in its environment' },
    ])
    const missing = open({ path: join(home, 'nothing') })
    await missing.program.start('claudeai')
    assert.match((await missing.sees(({ state }) => state === 'failed')).problem ?? '', /ENOENT/)
    const silent = open({ path: script('exit 3') })
    await silent.program.start('claudeai')
    assert.match((await silent.sees(({ state }) => state === 'failed')).problem ?? '', /ended with code 3/)
  })
})
