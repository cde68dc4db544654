import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { type Command, START_AFRESH_EXIT_CODE } from '../wire/agent-ops.ts'
import { errorText } from '../wire/errors.ts'
import type { LiveEvent } from '../wire/events.ts'
import { PROXY_PORT } from '../wire/names.ts'
import type { BrainCheck, EngineSettings } from './brain/brain.ts'
import { openClaudeBrain } from './brain/claude/claude-brain.ts'
import type { Config } from './config.ts'
import { DaemonLink, type Hello } from './daemon-link.ts'
import { EventQueue } from './event-queue.ts'
import { openForwarder, PROXY_ENV } from './forwarder.ts'
import { Heartbeat } from './heartbeat.ts'
import { type LoginCommand, openLogin } from './login/open-login.ts'
import { createHiveTools, offeredOps } from './mcp/hive-tools.ts'
import { createPermissionDesk } from './permission-desk.ts'
import { agentPrompt } from './prompts/agent.ts'
import { managerPrompt } from './prompts/manager.ts'
import { gitGuard } from './repositories/git-config.ts'
import { proposalTools } from './repositories/proposal.ts'
import { RepositoryKeeper } from './repositories/repository-keeper.ts'
import { Conversation } from './turn/conversation.ts'
import { Notes } from './turn/notes.ts'
import { TurnLoop } from './turn/turn-loop.ts'

/** Tools of the engine that agents have; the rest of its own is not offered. */
const BUILTIN_TOOLS = ['Bash', 'Edit', 'Glob', 'Grep', 'Read', 'Write']

/** Between a call that was refused for good and the next: what was wrong may have been mended. */
const REFUSED_PAUSE_MS = 5_000

/** How long the first turn waits for the manager's repositories. */
const KEEP_LIMIT_MS = 30_000

/** Runs the harness until it is told to stop: the first process of every container. */
export async function serve(config: Config): Promise<never> {
  const { ops, role } = config
  process.umask(0o027)
  mkdirSync(config.scratch, { recursive: true, mode: 0o700 })

  const ending = new AbortController()
  const link = new DaemonLink({
    socket: config.socket,
    ops,
    revision: readFileSync(config.revisionFile, 'utf8'),
    deployment: config.deployment,
    signal: ending.signal,
  })
  if (config.network === 'none') {
    await openForwarder({
      port: PROXY_PORT,
      socket: config.egressSocket,
      onError: (error) => process.stderr.write(`a connection to the gateway failed: ${error.message}\n`),
    })
  }

  const gitEnv = config.repositories ? await gitGuard(config.repositories) : {}
  const engineSettings = ({ env, settings: { keepWarmMs, hangMs, config: agentConfig } }: Hello): EngineSettings => ({
    env: {
      ...env,
      ...(config.network === 'none' ? PROXY_ENV : {}),
      ...config.identity,
      ...gitEnv,
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      HOME: '/root',
    },
    keepWarmMs,
    hangMs,
    config: agentConfig,
  })
  const { hello } = await link.connected()
  let current = engineSettings(hello)
  let { model } = hello.settings
  const mayAsk = role === 'manager' || current.config.askOperator === true
  const systemPromptFile = join(config.scratch, 'system-prompt.md')
  writeFileSync(systemPromptFile, role === 'manager' ? managerPrompt() : agentPrompt(config.label, { mayAsk }))

  const events = new EventQueue({
    send: async (batch) => {
      try {
        await link.insist('append_events', { epoch: (await link.connected()).hello.epoch, events: batch })
      } catch (error) {
        process.stderr.write(`${batch.length} events are lost: ${errorText(error)}\n`)
        throw error
      }
    },
  })
  const emit = (event: LiveEvent) => events.push(event)

  const tools = createHiveTools(
    offeredOps(ops, { mayAsk }),
    (op, input, signal) => link.call(op as 'send', input as never, signal),
    {
      onMessage: (message) => loop.join(message),
      preparations: proposalTools(config.repositories),
    },
  )
  // The next beat makes up for one that was refused.
  const heartbeat = new Heartbeat(() =>
    link.call('status', { brain: brain.state, turn: conversation.used }).then(
      () => {},
      () => {},
    ),
  )

  const brain = openClaudeBrain({
    claudePath: config.claude,
    cwd: config.state,
    configDir: config.claudeConfig,
    tmpDir: config.scratch,
    ...current,
    model,
    systemPromptFile,
    tools: BUILTIN_TOOLS,
    sessionFile: config.sessionFile,
    toolServer: tools,
    askPermission: createPermissionDesk(link),
    onEvent: emit,
    onState: () => heartbeat.beat(),
    onUsage: () => heartbeat.beat(),
  })
  const conversation = new Conversation({
    brain,
    notes: new Notes(config.state),
    emit,
    checkpointAt: hello.settings.checkpointAt,
  })
  const loop = new TurnLoop({ link, brain, conversation, emit })
  const keeper =
    config.repositories &&
    new RepositoryKeeper(config.repositories, (text) => emit({ kind: 'note', level: 'warn', text }))

  async function attempt(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      emit({ kind: 'note', level: 'error', text: `${what} failed: ${errorText(error)}` })
    }
  }

  async function checkBrain(): Promise<BrainCheck> {
    const check = await brain.check()
    await link.insist('ready', check)
    return check
  }

  /** Says which state the engine is in; after the daemon was away it has to be told again. */
  const reportReady = () => attempt('telling the state of the engine', checkBrain)

  const login = openLogin({
    claudePath: config.claude,
    configDir: config.claudeConfig,
    tmpDir: config.scratch,
    env: () => current.env,
    check: checkBrain,
    tell: (report) => link.insist('report_login', report),
    emit,
  })

  /** The daemon that came back may have been started with other settings. */
  async function goOn(hello: Hello): Promise<void> {
    const [before, now] = [current, engineSettings(hello)]
    const isSameModel = hello.settings.model === model
    current = now
    model = hello.settings.model
    conversation.checkpointAt = hello.settings.checkpointAt
    // Asked for at once, they come before the next turn.
    await Promise.all([
      isDeepStrictEqual(before, now) || attempt('taking new settings', () => brain.configure(now)),
      isSameModel || attempt('set_model', () => brain.setModel(hello.settings.model)),
    ])
    await reportReady()
  }

  async function obeyCommands(): Promise<void> {
    for (;;) {
      try {
        const { commands } = await link.insist('commands', { wait_seconds: 180 })
        // Not one after the other: a cancel must not wait for the compaction before it.
        for (const command of commands) void obey(command)
      } catch (error) {
        if (ending.signal.aborted) return
        emit({ kind: 'note', level: 'error', text: `asking for commands failed: ${errorText(error)}` })
        await sleep(REFUSED_PAUSE_MS)
      }
    }
  }

  async function obey(command: Command): Promise<void> {
    if (command.do === 'keep_repositories') return keeper?.keep(KEEP_LIMIT_MS)
    if (isLoginCommand(command)) return attempt(command.do, () => login.obey(command))
    if (command.do === 'set_model') model = command.model
    await attempt(command.do, () => loop.obey(command))
    if (command.do === 'stop') await end()
  }

  async function end(exitCode = 0): Promise<never> {
    ending.abort()
    await Promise.all([brain.close(), login.close()])
    await events.flush()
    process.exit(exitCode)
  }

  process.once('SIGTERM', () => void obey({ do: 'stop', graceMs: 0 }))
  heartbeat.every(hello.settings.heartbeatMs)
  link.onHello = (again) => {
    loop.onHello(again.leases)
    heartbeat.every(again.settings.heartbeatMs)
    heartbeat.beat()
    void goOn(again)
    void keeper?.keep(KEEP_LIMIT_MS)
  }
  const kept = keeper?.keep(KEEP_LIMIT_MS)
  await reportReady()
  void obeyCommands()
  await kept
  await loop.run()
  return end(brain.leftovers ? START_AFRESH_EXIT_CODE : 0)
}

const isLoginCommand = (command: Command): command is LoginCommand => command.do.startsWith('login_')
