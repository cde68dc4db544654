import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, START_AFRESH_EXIT_CODE } from '../wire/agent-ops.ts'
import { errorText } from '../wire/errors.ts'
import { openClaudeBrain } from './brain/claude/claude-brain.ts'
import type { Config } from './config.ts'
import { DaemonLink } from './daemon-link.ts'
import { EventQueue } from './event-queue.ts'
import { openForwarder, PROXY_ENV } from './forwarder.ts'
import { createHiveTools } from './mcp/hive-tools.ts'
import { agentPrompt } from './prompts/agent.ts'
import { managerPrompt } from './prompts/manager.ts'
import { TurnLoop } from './turn/turn-loop.ts'

/** Tools of the engine that agents have; the rest of its own is not offered. */
const BUILTIN_TOOLS = ['Bash', 'Edit', 'Glob', 'Grep', 'Read', 'Write']

/** Runs the harness until it is told to stop: the first process of every container. */
export async function serve(config: Config): Promise<never> {
  const { ops, role } = config
  process.umask(0o027)
  mkdirSync(config.scratch, { recursive: true, mode: 0o700 })
  const systemPromptFile = join(config.scratch, 'system-prompt.md')
  writeFileSync(systemPromptFile, role === 'manager' ? managerPrompt() : agentPrompt(config.label))

  const ending = new AbortController()
  const link = new DaemonLink({
    socket: config.socket,
    ops,
    revision: readFileSync(config.revisionFile, 'utf8'),
    signal: ending.signal,
  })
  if (config.network === 'none') await openForwarder({ port: 3128, socket: config.egressSocket })

  const { hello } = await link.connected()
  const events = new EventQueue({
    send: async (batch) => {
      await link.call('append_events', { epoch: (await link.connected()).hello.epoch, events: batch })
    },
  })

  const tools = createHiveTools(
    ops,
    (op, input) => link.call(op as 'send', input as never),
    (message) => loop.join(message),
  )

  const brain = openClaudeBrain({
    claudePath: config.claude,
    cwd: config.state,
    configDir: config.claudeConfig,
    tmpDir: config.scratch,
    env: {
      ...hello.env,
      ...(config.network === 'none' ? PROXY_ENV : {}),
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      HOME: '/root',
    },
    model: hello.settings.model,
    systemPromptFile,
    tools: BUILTIN_TOOLS,
    allowedTools: [...BUILTIN_TOOLS, 'mcp__hyperhive'],
    sessionFile: config.sessionFile,
    keepWarmMs: hello.settings.keepWarmMs,
    hangMs: hello.settings.hangMs,
    toolServer: tools,
    onEvent: (event) => events.push(event),
  })
  const loop = new TurnLoop({ link, brain, emit: (event) => events.push(event) })

  /** Says which state the engine is in; after the daemon was away it has to be told again. */
  async function reportReady(): Promise<void> {
    await link.call('ready', await brain.check())
  }

  async function obeyCommands(): Promise<void> {
    for (;;) {
      const { commands } = await link.call('commands', { wait_seconds: 180 })
      // Not one after the other: a cancel must not wait for the compaction before it.
      for (const command of commands) void obey(command)
    }
  }

  async function obey(command: Command): Promise<void> {
    try {
      await loop.obey(command)
    } catch (error) {
      events.push({ kind: 'note', level: 'error', text: `${command.do} failed: ${errorText(error)}` })
    }
    if (command.do === 'stop') await end()
  }

  async function end(exitCode = 0): Promise<never> {
    ending.abort()
    await brain.close()
    await events.flush()
    process.exit(exitCode)
  }

  process.once('SIGTERM', () => void obey({ do: 'stop', graceMs: 0 }))
  const heartbeat = () => void link.call('status', { brain: brain.state }).catch(() => {})
  setInterval(heartbeat, hello.settings.heartbeatMs)
  link.onHello = ({ leases }) => {
    loop.onHello(leases)
    void reportReady()
  }
  await reportReady()
  void obeyCommands()
  await loop.run()
  return end(brain.leftovers ? START_AFRESH_EXIT_CODE : 0)
}
