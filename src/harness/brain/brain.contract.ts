import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openTestModel, type TestModel } from '../../../test/test-model.ts'
import type { LiveEvent } from '../../wire/events.ts'
import type { TurnEnd, TurnReason } from '../../wire/turn.ts'
import type { Brain } from './brain.ts'

/** What a brain under test is given. */
export interface BrainSetup {
  /** Its own directory, with `work` in it to work in. */
  readonly home: string
  /** What leads it to the scripted model, and a login. */
  readonly env: Readonly<Record<string, string>>
  readonly hangMs: number
  readonly toolServer: {
    tools(): { name: string; description: string; inputSchema: Record<string, unknown> }[]
    call(name: string, args: unknown, options: { signal: AbortSignal }): Promise<{ text: string; isError: boolean }>
  }
  readonly onEvent: (event: LiveEvent) => void
  readonly onDelta: (delta: { kind: string; text: string }) => void
}

/** A brain in a directory of its own, and what can be seen of it. */
export interface Bench {
  readonly brain: Brain
  readonly home: string
  /** What it was opened with. */
  readonly env: Readonly<Record<string, string>>
  readonly events: LiveEvent[]
  readonly said: string[]
  readonly calls: { name: string; args: unknown }[]
  /** What the model was asked for it. */
  requests(): ModelRequest[]
  /** Everything that was said in the conversation, as the model got it last. */
  conversation(): string
}

export interface BenchOptions {
  readonly hangMs?: number
  readonly env?: Readonly<Record<string, string>>
  /** What the tool `send` answers. */
  readonly onCall?: (signal: AbortSignal) => Promise<string>
}

/** Opens brains over one scripted model; disposed, they are closed and their directories removed. */
export interface Benches extends AsyncDisposable {
  readonly model: TestModel
  open(openBrain: (setup: BrainSetup) => Brain, options?: BenchOptions): Bench
}
type ModelRequest = TestModel['requests'][number]

const SEND = {
  name: 'send',
  description: 'Send.',
  inputSchema: { type: 'object', properties: { to: { type: 'string' }, body: { type: 'string' } } },
}

/** `scenarios`: what the model does for them, instead of what it is told. */
export async function openBenches(scenarios?: Parameters<typeof openTestModel>[0]): Promise<Benches> {
  const model = await openTestModel(scenarios)
  const directory = mkdtempSync(join(tmpdir(), 'brain-'))
  const brains: Brain[] = []
  return {
    model,
    open(openBrain, { hangMs = 60_000, env = {}, onCall = async () => 'sent as 7' } = {}) {
      const home = mkdtempSync(join(directory, 'agent-'))
      mkdirSync(join(home, 'work'))
      writeFileSync(join(home, 'role.md'), 'You are a test.')
      const label = `bench-${brains.length}`
      const requests = () => model.requests.filter(({ agent }) => agent === label)
      const agentEnv = {
        PATH: process.env.PATH ?? '',
        HOME: home,
        ANTHROPIC_BASE_URL: model.url,
        ANTHROPIC_API_KEY: `sk-ant-demo-${label}`,
        CLAUDE_CODE_MAX_RETRIES: '1',
        ...env,
      }
      const bench = {
        home,
        env: agentEnv,
        events: [] as LiveEvent[],
        said: [] as string[],
        calls: [] as Bench['calls'],
      }
      const brain = openBrain({
        home,
        hangMs,
        env: agentEnv,
        toolServer: {
          tools: () => [SEND],
          call: async (name, args, { signal }) => {
            bench.calls.push({ name, args })
            return { text: await onCall(signal), isError: false }
          },
        },
        onEvent: (event) => bench.events.push(event),
        onDelta: ({ text }) => bench.said.push(text),
      })
      brains.push(brain)
      return { ...bench, brain, requests, conversation: () => JSON.stringify(requests().at(-1)?.body.messages) }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(brains.map((brain) => brain.close()))
      await model.close()
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** The processes that work in the directory of a bench. */
export const processesOf = ({ home }: Bench): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`) === join(home, 'work')
      } catch {
        return false // It ended while we looked.
      }
    })
    .map(Number)

export function killProcesses(bench: Bench, signal: NodeJS.Signals): void {
  const pids = processesOf(bench)
  assert.ok(pids.length > 0, 'the engine runs')
  for (const pid of pids) process.kill(pid, signal)
}

/** Waits for what no event tells; a test that waits in vain is ended by its own timeout. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(10)
}

/** What each fault of the API must be called. */
const FAULTS: Record<string, TurnReason> = {
  unauthorized: 'auth',
  forbidden: 'auth',
  rate_limited: 'overloaded',
  overloaded: 'overloaded',
  server_error: 'overloaded',
  credit: 'billing',
  no_such_model: 'refused',
  bad_request: 'refused',
  too_large: 'refused',
  refuse: 'refused',
  reset: 'network',
  drop: 'network',
  max_tokens: 'error',
  mid_error: 'overloaded',
  prompt_too_long: 'prompt_too_long',
}

/** What every brain must do. Tests of one suite share a scripted model: texts that they wait for are their own. */
export const testBrain = (name: string, openBrain: (setup: BrainSetup) => Brain): Promise<void> =>
  describe(name, { timeout: 300_000, concurrency: 2 }, () => testBrainWith(openBrain))

function testBrainWith(openBrain: (setup: BrainSetup) => Brain): void {
  let benches: Benches
  before(async () => {
    benches = await openBenches()
  })
  after(() => benches[Symbol.asyncDispose]())
  const open = (options?: BenchOptions) => benches.open(openBrain, options)
  const asked = (text: string) => benches.model.asked(text)

  test('says without a model request that it is ready, and when it has no login', async () => {
    const bench = open()
    const ready = await bench.brain.check()
    assert.deepEqual([ready.claude, ready.mcp], ['ok', { hyperhive: 'ok' }])
    const check = await open({ env: { ANTHROPIC_API_KEY: '' } }).brain.check()
    assert.equal(check.claude, 'needs_login')
    assert.deepEqual(bench.requests(), [])
  })

  test('is not woken by a check to say again that it is well', async () => {
    const bench = open()
    const well = await bench.brain.check()
    await bench.brain.turn('say one')
    await bench.brain.close()
    assert.deepEqual(await bench.brain.check(), well)
    assert.equal(bench.brain.state, 'asleep')
    assert.deepEqual(processesOf(bench), [])
  })

  test('goes on under other settings after what is in progress', async () => {
    const bench = open()
    const { brain, env } = bench
    const [before, after] = [brain.turn('say before'), brain.turn('say with the old key')]
    const configure = (key: string) =>
      brain.configure({
        env: { ...env, ANTHROPIC_API_KEY: key },
        keepWarmMs: 0,
        hangMs: 60_000,
        config: { mcpServers: {} },
      })
    await configure('sk-ant-demo-rotated')
    assert.deepEqual([(await before).reason, (await after).reason], ['ok', 'ok'])
    assert.equal(bench.requests().length, 2)
    assert.equal((await brain.turn('say with the new key')).reason, 'ok')
    const rotated = benches.model.requests.filter(({ agent }) => agent === 'rotated')
    assert.match(JSON.stringify(rotated.at(-1)?.body.messages), /say before.*with the new key/)
    assert.equal(brain.state, 'asleep', 'it is not kept any more')
    await configure('')
    assert.equal((await brain.check()).claude, 'needs_login')
  })

  test('says that a turn without a login needs one', async () => {
    const end = await open({ env: { ANTHROPIC_API_KEY: '' } }).brain.turn('say anything')
    assert.equal(end.reason, 'auth')
  })

  test('takes turns with our tools and its own, in one conversation', async () => {
    const { brain, calls, conversation, events, said } = open()
    const first = await brain.turn('send bob hello there')
    assert.equal(first.reason, 'ok', first.detail)
    assert.deepEqual(calls, [{ name: 'send', args: { to: 'bob', body: 'hello there' } }])
    assert.match(conversation(), /sent as 7/)
    const second = await brain.turn('bash echo $((40+2))')
    assert.equal(second.reason, 'ok')
    assert.equal(second.detail, '42')
    assert.match(conversation(), /hello there/)
    assert.equal(said.join('').replaceAll(/\s/g, ''), 'Sent:sentas742')
    const results = events.filter((event) => event.kind === 'stream' && event.value.type === 'result')
    assert.equal(results.length, 2)
  })

  test('gives the figures of each turn alone, also after its process ended', async () => {
    const { brain } = open()
    const first = await brain.turn('say one')
    const second = await brain.turn('say two')
    await brain.close()
    const third = await brain.turn('say three')
    for (const { usage } of [first, second, third]) {
      assert.ok(usage && usage.costUsd > 0 && usage.contextTokens > 0 && usage.contextWindow > usage.contextTokens)
      assert.ok(usage.costUsd <= (first.usage?.costUsd ?? 0) * 1.2, `${usage.costUsd} is not the cost of one turn`)
      assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0 && usage.durationMs > 0)
    }
  })

  test('tells of all that the endpoint billed: of several requests, of an interrupted one, of a compaction', async () => {
    const { brain, requests, said } = open()
    const told = [await brain.turn('bash echo one'), await brain.turn('fault overloaded 1')]
    const interrupted = brain.turn('stall 60007')
    // From the moment that its answer begins a request is billed.
    await until(() => said.join('').includes('Silent.'))
    await brain.interrupt()
    told.push(await interrupted)
    assert.equal((await brain.compact()).ok, true)
    await brain.close()
    told.push(await brain.turn('say three'), await brain.turn('say four'))
    const sum = (of: (usage: NonNullable<TurnEnd['usage']>) => number) =>
      told.reduce((total, { usage }) => total + (usage ? of(usage) : Number.NaN), 0)
    const billed = (of: (usage: NonNullable<ModelRequest['billed']>) => number) =>
      requests().reduce((total, { billed }) => total + (billed ? of(billed) : 0), 0)
    assert.deepEqual(
      [
        sum(({ inputTokens }) => inputTokens),
        sum(({ cacheReadTokens }) => cacheReadTokens),
        sum(({ cacheWriteTokens }) => cacheWriteTokens),
      ],
      [
        billed((usage) => usage.input_tokens),
        billed((usage) => usage.cache_read_input_tokens),
        billed((usage) => usage.cache_creation_input_tokens),
      ],
    )
    // What was said of an answer that broke off is only the engine's guess.
    assert.ok(Math.abs(sum(({ outputTokens }) => outputTokens) - billed((usage) => usage.output_tokens)) <= 5)
    assert.ok(told.every(({ usage }) => usage && usage.costUsd > 0))
  })

  test('tells of what a turn in progress has used, and of what was known when its process was killed', async () => {
    const bench = open({ onCall: () => new Promise(() => {}) })
    const { brain } = bench
    const speaking = brain.turn('send bob something')
    await until(() => brain.used !== undefined)
    const { used } = brain
    assert.ok(used && used.outputTokens > 0 && used.costUsd > 0)
    killProcesses(bench, 'SIGKILL')
    const { reason, usage } = await speaking
    assert.deepEqual([reason, usage?.outputTokens, usage?.costUsd], ['crash', used.outputTokens, used.costUsd])
    assert.equal(brain.used, undefined)
    const next = await brain.turn('say back')
    assert.ok(next.usage && next.usage.costUsd > 0 && next.usage.costUsd < 2 * used.costUsd)
  })

  test('goes on with the conversation after its process ended, and forgets it when told', async () => {
    const { brain, conversation } = open()
    await brain.turn('say remember the milk')
    await brain.close()
    assert.equal(brain.state, 'asleep')
    assert.equal((await brain.turn('say what was it')).reason, 'ok')
    assert.match(conversation(), /remember the milk/)
    await brain.newSession()
    await brain.turn('say fresh')
    assert.doesNotMatch(conversation(), /remember the milk/)
  })

  test('takes turns asked for at once one after the other', async () => {
    const { brain, conversation } = open()
    const ends = await Promise.all([brain.turn('say first'), brain.turn('say second')])
    assert.deepEqual(
      ends.map(({ reason, detail }) => [reason, detail]),
      [
        ['ok', 'first'],
        ['ok', 'second'],
      ],
    )
    assert.match(conversation(), /say first.*say second/)
  })

  test('stops while the model speaks, while a tool of ours runs, and while one of its own does', async () => {
    const entered = Promise.withResolvers<void>()
    const aborted = Promise.withResolvers<void>()
    const untilAborted = (signal: AbortSignal): Promise<string> => {
      entered.resolve()
      signal.addEventListener('abort', () => aborted.resolve())
      return aborted.promise.then(() => 'aborted')
    }
    const bench = open({ onCall: untilAborted })
    const { brain } = bench
    const speaking = brain.turn('mumble 60001')
    await asked('mumble 60001')
    assert.equal(brain.state, 'thinking')
    await brain.interrupt()
    assert.equal((await speaking).reason, 'interrupted')

    const calling = brain.turn('send bob wait')
    await entered.promise
    await brain.interrupt()
    assert.equal((await calling).reason, 'interrupted')
    await aborted.promise

    const marker = join(bench.home, 'runs')
    const running = brain.turn(`bash touch ${marker}; exec sleep 611`)
    await until(() => readdirSync(bench.home).includes('runs'))
    await brain.interrupt()
    assert.equal((await running).reason, 'interrupted')
    assert.equal((await brain.turn('say on we go')).reason, 'ok')
    assert.equal(brain.leftovers, false)
  })

  test('stops a turn that has hardly begun', async () => {
    const { brain } = open()
    const starting = brain.turn('mumble 60002')
    await brain.interrupt()
    assert.equal((await starting).reason, 'interrupted')
    await brain.check()
    const begun = brain.turn('mumble 60003')
    await brain.interrupt()
    assert.equal((await begun).reason, 'interrupted')
    await brain.interrupt()
    assert.equal((await brain.turn('say still here')).reason, 'ok')
  })

  test('ends in the middle of a turn when it is closed', async () => {
    const bench = open()
    const speaking = bench.brain.turn('mumble 60004')
    await asked('mumble 60004')
    await bench.brain.close()
    assert.equal((await speaking).reason, 'interrupted')
    assert.deepEqual(processesOf(bench), [])
  })

  test('rests when told to, but not in the middle of a turn', async () => {
    const bench = open()
    const speaking = bench.brain.turn('mumble 60009')
    await asked('mumble 60009')
    await bench.brain.rest()
    assert.equal(bench.brain.state, 'thinking')
    await bench.brain.interrupt()
    assert.equal((await speaking).reason, 'interrupted')
    await bench.brain.rest()
    assert.equal(bench.brain.state, 'asleep')
    assert.deepEqual(processesOf(bench), [])
    assert.equal((await bench.brain.turn('say awake')).reason, 'ok')
  })

  test('answers a check in the middle of a turn without disturbing it', async () => {
    const { brain } = open()
    const speaking = brain.turn('mumble 60007')
    await asked('mumble 60007')
    assert.equal((await brain.check()).claude, 'ok')
    assert.equal(brain.state, 'thinking')
    await brain.interrupt()
    assert.equal((await speaking).reason, 'interrupted')
  })

  test('reports a killed process as a crash and takes the next turn', async () => {
    const bench = open()
    const speaking = bench.brain.turn('mumble 60005')
    await asked('mumble 60005')
    killProcesses(bench, 'SIGKILL')
    const end = await speaking
    assert.equal(end.reason, 'crash')
    assert.match(end.detail, /SIGKILL/)
    assert.equal(bench.brain.leftovers, true)
    assert.equal((await bench.brain.turn('say back')).reason, 'ok')
  })

  test('gives up on a model that says nothing', async () => {
    const { brain } = open({ hangMs: 2_000 })
    assert.equal((await brain.turn('fault stall')).reason, 'hang')
    assert.equal((await brain.turn('say back')).reason, 'ok')
  })

  test('waits for a tool of ours longer than it waits for anything else', async () => {
    const { brain } = open({ hangMs: 2_000, onCall: () => sleep(3_500, 'late') })
    const end = await brain.turn('send bob slowly')
    assert.equal(end.reason, 'ok', end.detail)
    assert.match(end.detail, /late/)
  })

  test('changes the model for the next request and keeps it', async () => {
    const { brain, requests } = open()
    const lastModel = () => requests().at(-1)?.body.model ?? ''
    await brain.turn('say one')
    assert.match(lastModel(), /haiku/)
    await brain.setModel('opus')
    await brain.turn('say two')
    assert.match(lastModel(), /opus/)
    await brain.close()
    await brain.turn('say three')
    assert.match(lastModel(), /opus/)
  })

  test('compacts a conversation, if there is one', async () => {
    const { brain, conversation } = open()
    assert.equal((await brain.compact()).ok, false)
    await brain.turn('say one')
    const compacting = brain.compact()
    assert.deepEqual(await compacting, { ok: true, detail: '' })
    assert.equal((await brain.turn('say two')).reason, 'ok')
    assert.match(conversation(), /The conversation so far, in short/)
  })

  test('lets no prompt be a command or name a file to be read', async () => {
    const { brain, conversation, home } = open()
    assert.throws(() => brain.turn('/clear'), { code: 'bad_input' })
    writeFileSync(join(home, 'secret'), 'open sesame')
    await brain.turn(`say look at @${home}/secret please`)
    assert.doesNotMatch(conversation(), /open sesame/)
  })

  test('names what goes wrong with the API, and takes the next turn', async () => {
    const { brain } = open()
    for (const [fault, reason] of Object.entries(FAULTS)) {
      const end = await brain.turn(`fault ${fault}`)
      assert.equal(end.reason, reason, `${fault}: ${end.detail}`)
    }
    assert.equal((await brain.turn('say back')).reason, 'ok')
  })

  test('does not go on trying with a login that is refused', async () => {
    const { brain, requests } = open({ env: { CLAUDE_CODE_MAX_RETRIES: '8' } })
    assert.equal((await brain.turn('fault unauthorized')).reason, 'auth')
    assert.ok(requests().length <= 2)
  })

  test('says when a used up quota is to be had again', async () => {
    // Only a subscription has a quota.
    const { brain } = open({ env: { CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-test', ANTHROPIC_API_KEY: '' } })
    const end = await brain.turn('fault quota')
    assert.equal(end.reason, 'quota', end.detail)
    assert.ok(end.resetsAt && end.resetsAt > Date.now() && end.resetsAt < Date.now() + 2 * 3_600_000)
  })

  test('calls an endpoint that is not there network', async () => {
    const { brain } = open({ env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:1' } })
    assert.equal((await brain.turn('say x')).reason, 'network')
  })
}
