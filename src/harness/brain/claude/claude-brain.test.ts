import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { findTestClaude, openTestModel, type TestModel } from '../../../../test/test-model.ts'
import type { LiveEvent } from '../../../wire/events.ts'
import type { Brain } from '../brain.ts'
import { openClaudeBrain } from './claude-brain.ts'

for (const keepWarmMs of [60_000, 0]) {
  describe(`the claude engine, ${keepWarmMs ? 'warm' : 'a process per turn'}`, () => {
    const directory = mkdtempSync(join(tmpdir(), 'brain-'))
    let model: TestModel
    const events: LiveEvent[] = []
    const calls: { name: string; args: unknown }[] = []
    let onCall: (signal: AbortSignal) => Promise<string> = async () => 'sent as 7'
    const brains: Brain[] = []
    const open = (
      name: string,
      {
        hangMs = 60_000,
        keepMs = keepWarmMs,
        env = {},
      }: { hangMs?: number; keepMs?: number; env?: Record<string, string> } = {},
    ) => {
      const home = join(directory, name)
      mkdirSync(join(home, 'work'), { recursive: true })
      writeFileSync(join(home, 'role.md'), 'You are `default`, a test.')
      const brain = openClaudeBrain({
        claudePath: findTestClaude(),
        cwd: join(home, 'work'),
        configDir: join(home, 'config'),
        tmpDir: home,
        env: {
          PATH: process.env.PATH ?? '',
          HOME: home,
          ANTHROPIC_BASE_URL: model.url,
          ANTHROPIC_API_KEY: 'sk-ant-test',
          CLAUDE_CODE_MAX_RETRIES: '1',
          ...env,
        },
        model: 'haiku',
        systemPromptFile: join(home, 'role.md'),
        tools: ['Bash', 'Read', 'Write'],
        allowedTools: ['Bash', 'mcp__hyperhive'],
        sessionFile: join(home, 'session'),
        keepWarmMs: keepMs,
        hangMs,
        toolServer: {
          tools: () => [
            {
              name: 'send',
              description: 'Send.',
              inputSchema: { type: 'object', properties: { to: { type: 'string' } } },
            },
          ],
          call: async (name, args, { signal }) => {
            calls.push({ name, args })
            return { text: await onCall(signal), isError: false }
          },
        },
        onEvent: (event) => events.push(event),
      })
      brains.push(brain)
      return brain
    }
    before(async () => {
      model = await openTestModel()
    })
    after(async () => {
      await Promise.all(brains.map((brain) => brain.close()))
      await model[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true, maxRetries: 5 })
    })
    const textOfLastRequest = () => JSON.stringify(model.requests.at(-1)?.body.messages)

    test('says that it is ready without a model request, and when it has no login', async () => {
      assert.equal((await open('ready').check()).claude, 'ok')
      assert.equal(model.requests.length, 0)
      const check = await open('anonymous', { env: { ANTHROPIC_API_KEY: '' } }).check()
      assert.equal(check.claude, 'needs_login')
    })

    test('takes turns with tools of its own and of ours, in one conversation', async () => {
      const brain = open('turns')
      const first = await brain.turn('send bob hello')
      assert.equal(first.reason, 'ok')
      assert.deepEqual(calls.at(-1), { name: 'send', args: { to: 'bob', body: 'hello' } })
      assert.match(textOfLastRequest(), /sent as 7/)
      const second = await brain.turn('bash echo $((40+2))')
      assert.equal(second.reason, 'ok')
      assert.match(second.detail, /42/)
      assert.match(textOfLastRequest(), /send bob hello/)
      assert.ok(second.usage && second.usage.contextTokens > 0 && second.usage.inputTokens > 0)
      assert.ok(events.some((event) => event.kind === 'stream' && event.value.type === 'result'))
    })

    test('goes on with the conversation after its process ended', async () => {
      const brain = open('again')
      await brain.turn('say remember the milk')
      await brain.close()
      assert.equal(brain.state, 'asleep')
      assert.equal((await brain.turn('say what was it')).reason, 'ok')
      assert.match(textOfLastRequest(), /remember the milk/)
      await brain.newSession()
      await brain.turn('say fresh')
      assert.doesNotMatch(textOfLastRequest(), /remember the milk/)
    })

    test('stops a turn while the model speaks and while a tool runs', async () => {
      const brain = open('stop')
      const speaking = brain.turn('mumble 60000')
      await model.asked('mumble')
      await brain.interrupt()
      assert.equal((await speaking).reason, 'interrupted')
      const entered = Promise.withResolvers<void>()
      onCall = (signal) =>
        new Promise((resolve) => {
          entered.resolve()
          signal.addEventListener('abort', () => resolve('aborted'))
        })
      const calling = brain.turn('send bob wait')
      await entered.promise
      await brain.interrupt()
      assert.equal((await calling).reason, 'interrupted')
      onCall = async () => 'sent as 8'
      assert.equal((await brain.turn('say on we go')).reason, 'ok')
    })

    test('reports a killed process as a crash and takes the next turn', async () => {
      const brain = open('killed')
      model.requests.splice(0)
      const speaking = brain.turn('mumble 60000')
      await model.asked('mumble')
      process.kill(Number(findPid(join(directory, 'killed', 'config'))), 'SIGKILL')
      const end = await speaking
      assert.equal(end.reason, 'crash')
      assert.match(end.detail, /SIGKILL/)
      assert.equal((await brain.turn('say back')).reason, 'ok')
    })

    test('gives up on a model that says nothing', async () => {
      const brain = open('hung', { hangMs: 1_500 })
      assert.equal((await brain.turn('stall')).reason, 'hang')
      assert.equal((await brain.turn('say back')).reason, 'ok')
    })

    test('changes the model for the next request and keeps it', async () => {
      const brain = open('model')
      await brain.turn('say one')
      const before = model.requests.at(-1)?.body.model
      await brain.setModel('opus')
      await brain.turn('say two')
      assert.notEqual(model.requests.at(-1)?.body.model, before)
      await brain.close()
      await brain.turn('say three')
      assert.match(String(model.requests.at(-1)?.body.model), /opus/)
    })

    test('compacts', async () => {
      const brain = open('compact')
      await brain.turn('say one')
      assert.deepEqual(await brain.compact(), { ok: true, detail: '' })
      assert.equal((await brain.turn('say two')).reason, 'ok')
    })

    test('begins afresh when its session is gone', async () => {
      const brain = open('lost')
      await brain.turn('say one')
      await brain.close()
      const id = readFileSync(join(directory, 'lost', 'session'), 'utf8')
      const projects = join(directory, 'lost', 'config', 'projects')
      rmSync(projects, { recursive: true })
      mkdirSync(join(projects, join(directory, 'lost', 'work').replaceAll(/[^a-zA-Z0-9]/g, '-')), { recursive: true })
      assert.equal((await brain.turn('say two')).reason, 'ok')
      assert.ok(id)
    })

    const faults = {
      unauthorized: 'auth',
      forbidden: 'auth',
      quota: 'quota',
      rate_limited: 'overloaded',
      overloaded: 'overloaded',
      server_error: 'overloaded',
      credit: 'billing',
      no_such_model: 'refused',
      refuse: 'refused',
      prompt_too_long: 'prompt_too_long',
    }
    for (const [fault, reason] of Object.entries(faults)) {
      test(`names ${fault} ${reason}`, async () => {
        // Only a subscription has a quota.
        const env: Record<string, string> =
          fault === 'quota' ? { CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-test', ANTHROPIC_API_KEY: '' } : {}
        const brain = open(`fault-${fault}`, { env })
        const end = await brain.turn(`fault ${fault}`)
        assert.equal(end.reason, reason, end.detail)
        if (reason === 'quota') assert.ok((end.resetsAt ?? 0) > Date.now())
        await brain.close()
      })
    }

    test('names an endpoint that is not there network', async () => {
      const brain = open('nobody', { env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:1' } })
      assert.equal((await brain.turn('say x')).reason, 'network')
    })
  })
}

/** The engine that uses a config directory. */
function findPid(configDir: string): string | undefined {
  return readProcesses().find(({ environment }) => environment.includes(`CLAUDE_CONFIG_DIR=${configDir}`))?.pid
}

function readProcesses(): { pid: string; environment: string }[] {
  const { readdirSync } = process.getBuiltinModule('node:fs')
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [{ pid, environment: readFileSync(`/proc/${pid}/environ`, 'utf8') }]
      } catch {
        return [] // It ended while we looked.
      }
    })
}
