import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { findTestClaude } from '../../../../test/test-model.ts'
import {
  type Benches,
  type BrainSetup,
  killProcesses,
  openBenches,
  processesOf,
  testBrain,
  until,
} from '../brain.contract.ts'
import type { Brain } from '../brain.ts'
import { type ClaudeBrainOptions, openClaudeBrain } from './claude-brain.ts'
import type { AskPermission } from './permission-requests.ts'

const openClaude =
  (changes: Partial<ClaudeBrainOptions>) =>
  ({ home, ...setup }: BrainSetup): Brain =>
    openClaudeBrain({
      ...setup,
      claudePath: findTestClaude(),
      cwd: join(home, 'work'),
      configDir: join(home, 'config'),
      tmpDir: home,
      model: 'haiku',
      systemPromptFile: join(home, 'role.md'),
      tools: ['Bash', 'Read'],
      askPermission: async () => ({ allowed: false, message: 'not in this test' }),
      config: { mcpServers: {} },
      sessionFile: join(home, 'session'),
      keepWarmMs: 600_000,
      ...changes,
    })

let benches: Benches
before(async () => {
  benches = await openBenches()
})
after(() => benches[Symbol.asyncDispose]())
const timed = (name: string, work: () => Promise<void>) => test(name, { timeout: 60_000 }, work)

testBrain('a warm claude', openClaude({ keepWarmMs: 600_000 }))
testBrain('a claude per turn', openClaude({ keepWarmMs: 0 }))

describe('the process of a claude brain', { concurrency: 2 }, () => {
  timed('is one for all turns when kept warm, and none between turns when not', async () => {
    const warm = benches.open(openClaude({ keepWarmMs: 600_000 }))
    await warm.brain.turn('say one')
    const [first] = processesOf(warm)
    await warm.brain.turn('say two')
    assert.deepEqual(processesOf(warm), [first])
    assert.equal(warm.brain.state, 'idle')
    const cold = benches.open(openClaude({ keepWarmMs: 0 }))
    await cold.brain.check()
    assert.deepEqual(processesOf(cold), [])
    await cold.brain.turn('say one')
    assert.deepEqual(processesOf(cold), [])
  })

  timed('gives back a message that it has not taken up yet', async () => {
    const bench = benches.open(openClaude({}))
    await bench.brain.check()
    const turn = bench.brain.turn('mumble 60008')
    // Now the message is on its way.
    await setImmediate()
    await bench.brain.interrupt()
    assert.equal((await turn).reason, 'interrupted')
    assert.equal(bench.brain.state, 'idle', 'it did not have to be ended')
  })

  timed('ends after its idle time, and the next turn goes on where it was', async () => {
    const bench = benches.open(openClaude({ keepWarmMs: 100 }))
    await bench.brain.turn('say remember the cheese')
    await until(() => bench.brain.state === 'asleep')
    assert.deepEqual(processesOf(bench), [])
    assert.equal((await bench.brain.turn('say what was it')).reason, 'ok')
    assert.match(bench.conversation(), /remember the cheese/)
  })

  timed('is killed when it does not listen any more; what it leaves behind is told', async () => {
    const bench = benches.open(openClaude({ patienceMs: 100 }), { hangMs: 2_000 })
    const begun = join(bench.home, 'begun')
    const running = bench.brain.turn(`bash touch ${begun}; exec sleep 612`)
    await until(() => existsSync(begun))
    const isEngine = (pid: number) => readlinkSync(`/proc/${pid}/exe`) === realpathSync(findTestClaude())
    const { engines = [], orphans = [] } = Object.groupBy(processesOf(bench), (pid) =>
      isEngine(pid) ? 'engines' : 'orphans',
    )
    assert.equal(engines.length, 1)
    assert.ok(orphans.length > 0)
    for (const pid of engines) process.kill(pid, 'SIGSTOP')
    assert.equal((await running).reason, 'hang')
    assert.equal(bench.brain.leftovers, true)
    assert.deepEqual(processesOf(bench), orphans, 'only the end of the container ends these')
    killProcesses(bench, 'SIGKILL')
    assert.equal((await bench.brain.turn('say back')).reason, 'ok')
  })

  timed('that ended while idle is started again, even when nobody has noticed yet', async () => {
    const bench = benches.open(openClaude({}))
    await bench.brain.turn('say one')
    killProcesses(bench, 'SIGKILL')
    assert.equal((await bench.brain.turn('say two')).reason, 'ok')
    killProcesses(bench, 'SIGKILL')
    await until(() => bench.brain.state === 'asleep')
    assert.equal((await bench.brain.turn('say three')).reason, 'ok')
    assert.match(bench.conversation(), /say one/)
    assert.equal(bench.brain.leftovers, false)
  })

  timed('that cannot run is an error of the check and a crash of the turn', async () => {
    const { brain } = benches.open(openClaude({ claudePath: '/nowhere/claude' }))
    const check = await brain.check()
    assert.equal(check.claude, 'error')
    assert.match(check.detail, /ENOENT/)
    const end = await brain.turn('say x')
    assert.equal(end.reason, 'crash')
    assert.match(end.detail, /ENOENT/)
  })
})

timed('what a compaction used is told once, though the next turn comes to nothing', async () => {
  const bench = benches.open(openClaude({ keepWarmMs: 0 }))
  await bench.brain.turn('say one')
  assert.equal((await bench.brain.compact()).ok, true)
  const { used } = bench.brain
  assert.ok(used && used.costUsd > 0)
  const failing = bench.brain.turn('say two')
  await bench.brain.interrupt()
  assert.deepEqual(await failing, { reason: 'interrupted', detail: 'interrupted', usage: used })
  assert.equal(bench.brain.used, undefined)
})

describe('the conversation of a claude brain', () => {
  timed('begins afresh when the engine does not know it any more', async () => {
    const bench = benches.open(openClaude({}))
    writeFileSync(join(bench.home, 'session'), randomUUID())
    assert.equal((await bench.brain.turn('say one')).reason, 'ok')
    assert.ok(bench.events.some((event) => event.kind === 'note' && /fresh/.test(event.text)))
    assert.equal((await bench.brain.turn('say two')).reason, 'ok')
    assert.match(bench.conversation(), /say one/)
  })
})

describe('what needs a permission', () => {
  const openGuarded = (askPermission: AskPermission, hangMs?: number) =>
    benches.open(openClaude({ config: { mcpServers: {}, bash: ['git *'] }, askPermission }), { hangMs })

  timed('is not done when it is refused; the model reads why, and the turn goes on', async () => {
    const bench = openGuarded(async () => ({ allowed: false, message: 'not today' }))
    const end = await bench.brain.turn('bash touch made.txt')
    assert.deepEqual([end.reason, end.detail], ['ok', 'not today'])
    assert.deepEqual(readdirSync(join(bench.home, 'work')), [])
  })

  timed('is done as it was asked for when it is permitted, and asked for again the next time', async () => {
    const asked: unknown[] = []
    const bench = openGuarded(async ({ id: _, ...request }) => {
      asked.push(request)
      return { allowed: true }
    })
    for (const _ of ['once', 'twice']) assert.match((await bench.brain.turn('bash touch a && ls')).detail, /^a/)
    const request = {
      tool: 'Bash',
      input: { command: 'touch a && ls', description: 'As told' },
      description: 'As told',
    }
    assert.deepEqual(asked, [request, request])
  })

  timed('is waited for without counting as hung, until the turn is interrupted', async () => {
    const asked = Promise.withResolvers<AbortSignal>()
    const bench = openGuarded((_, signal) => {
      asked.resolve(signal)
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }, 2_000)
    const turn = bench.brain.turn('bash touch made.txt')
    const signal = await asked.promise
    // Twice the time after which a turn has hung.
    await sleep(4_000)
    assert.equal(bench.brain.state, 'thinking')
    await bench.brain.interrupt()
    assert.equal((await turn).reason, 'interrupted')
    assert.ok(signal.aborted, 'nobody is asked any more')
    assert.equal((await bench.brain.turn('say well')).detail, 'well')
  })
})
timed('a login that comes while it runs is found by the next check', async () => {
  const bench = benches.open(openClaude({}), { env: { ANTHROPIC_API_KEY: '' } })
  assert.equal((await bench.brain.check()).claude, 'needs_login')
  const claudeAiOauth = {
    accessToken: 'sk-ant-oat01-test',
    refreshToken: 'sk-ant-ort01-test',
    expiresAt: Date.now() + 3_600_000,
    scopes: ['user:inference', 'user:profile'],
    subscriptionType: 'max',
  }
  writeFileSync(join(bench.home, 'config', '.credentials.json'), JSON.stringify({ claudeAiOauth }))
  const { login, ...check } = await bench.brain.check()
  assert.deepEqual(check, { claude: 'ok', detail: 'Claude Max', mcp: { hyperhive: 'ok' } })
})
