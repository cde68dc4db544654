import { z } from 'zod'
import { HarnessConfig } from './agent-config.ts'
import { ApprovalId, CommitId } from './approvals.ts'
import { LiveEvent } from './events.ts'
import { agentLoginOps, LOGIN_COMMANDS } from './logins.ts'
import { MANAGER, Recipient, Role, SubAgentName } from './names.ts'
import { MAX_BODY_BYTES, type Ops } from './op.ts'
import { agentPermissionOps } from './permissions.ts'
import { agentQuestionOps } from './questions.ts'
import { agentScheduleOps } from './schedules.ts'
import { managerSupervisionOps } from './supervision.ts'
import { Delivery, Message } from './things.ts'
import { TurnEnd, TurnUsage } from './turn.ts'

const encoder = new TextEncoder()
export const Body = z
  .string()
  .min(1, 'is empty')
  .refine(
    // A UTF-16 unit takes 3 bytes at most: most bodies need not be measured.
    (body) => 3 * body.length <= MAX_BODY_BYTES || encoder.encode(body).length <= MAX_BODY_BYTES,
    `is longer than ${MAX_BODY_BYTES} bytes; put it in a file`,
  )

/** With this code a harness ends whose container should begin afresh: a turn left processes behind that only its end ends. */
export const START_AFRESH_EXIT_CODE = 75

/** Longest wait of a `recv`, in seconds. */
export const MAX_WAIT_SECONDS = 180
/** Unix milliseconds that a Date can hold. */
const Moment = z.number().min(0).max(8.64e15)
const Wait = z.number().min(0).max(MAX_WAIT_SECONDS).default(0)

/** Most messages that one `recv` takes, and that the model takes with one call. */
const MAX_TAKEN = 256
const MAX_TAKEN_BY_MODEL = 20

const SendTool = z.strictObject({
  to: Recipient.describe('an agent, "manager", "operator", or "*" for every agent'),
  body: Body.describe('the text; at most 64 KiB'),
  reply_to: z.number().int().positive().optional().describe('id of the message that this answers'),
})

/** What the daemon asks a harness to do. */
export const Command = z.discriminatedUnion('do', [
  /** End the turn that holds these messages; without any, whatever the engine does between turns. */
  z.object({ do: z.literal('cancel'), messages: z.array(z.number().int()) }),
  /** End the turn that holds these messages before its time: they come again. `why` is for people. */
  z.object({ do: z.literal('interrupt'), messages: z.array(z.number().int()), why: z.string() }),
  /** End the engine's process if it has nothing to do: memory is short. */
  z.object({ do: z.literal('rest') }),
  z.object({ do: z.literal('compact') }),
  z.object({ do: z.literal('new_session') }),
  z.object({ do: z.literal('set_model'), model: z.string() }),
  /** End after the turn in progress, or after `graceMs` interrupt it; nothing new is delivered meanwhile. */
  z.object({ do: z.literal('stop'), graceMs: z.number() }),
  /** The manager's: agents have come or gone, so clone what /applied holds into /proposed. */
  z.object({ do: z.literal('keep_repositories') }),
  ...LOGIN_COMMANDS,
])
export type Command = z.infer<typeof Command>

/** How the harness is to run: decided by the daemon, told at hello. */
export const HarnessSettings = z.object({
  agent: z.string(),
  role: Role,
  model: z.string(),
  /** Milliseconds that an idle engine stays up; 0: a process per turn. */
  keepWarmMs: z.number(),
  /** Milliseconds without any sign from the engine before a turn counts as hung. */
  hangMs: z.number(),
  /** Milliseconds between two heartbeats. */
  heartbeatMs: z.number(),
  /** Share of its context window, 0 to 1, after which a conversation is written down and shortened; 0: never. */
  checkpointAt: z.number(),
  config: HarnessConfig,
})
export type HarnessSettings = z.infer<typeof HarnessSettings>

export const agentOps = {
  hello: {
    about:
      'Register the harness of this agent; one at a time. Without an epoch (a new process) older leases are taken back.',
    input: z.strictObject({
      /** Of the programs that it runs. */
      revision: z.string(),
      /** Commit of the configuration that it runs with, `HIVE_DEPLOYMENT`; a harness of an older hive has none. */
      deployment: z.string().max(64).optional(),
      epoch: z.number().int().positive().optional(),
    }),
    output: z.object({
      epoch: z.number().int(),
      settings: HarnessSettings,
      /** Environment of the engine, secrets included. */
      env: z.record(z.string(), z.string()),
      /** What this epoch holds, when it goes on after the daemon was away. */
      leases: z.array(Delivery),
    }),
  },
  ready: {
    about: 'Say what state the engine and its tool servers are in.',
    input: z.strictObject({
      claude: z.enum(['ok', 'needs_login', 'error']),
      detail: z.string().transform((text) => text.slice(0, 2000)),
      /** A name for what the engine would log in with, another for another: none can be read from it. */
      login: z.string().max(64).optional(),
      /** Of every tool server: `ok`, or `error`, and then `detail` says more. */
      mcp: z.record(z.string(), z.enum(['ok', 'error'])),
    }),
    output: z.object({}),
  },
  status: {
    about: 'Heartbeat of the harness, with what the engine is doing.',
    input: z.strictObject({
      brain: z.enum(['idle', 'thinking', 'compacting', 'asleep']),
      /** What the turn in progress has used so far, as the engine counts. */
      turn: TurnUsage.optional(),
    }),
    output: z.object({ unread: z.number().int() }),
  },
  recv: {
    about:
      'Take the next messages from your inbox. Without wait_seconds it only looks; with it, it waits up to 180 s. To wait for mail you need not call this: end your turn, you are woken.',
    input: z.strictObject({ wait_seconds: Wait, max: z.number().int().min(1).max(MAX_TAKEN).default(1) }),
    /** In the order of delivery; none when none came. Fewer than `max` also when they are long, or one of them failed before. */
    output: z.object({ messages: z.array(Delivery) }),
    tool: z.strictObject({
      wait_seconds: Wait.describe('0 to look, up to 180 to wait'),
      max: z.number().int().min(1).max(MAX_TAKEN_BY_MODEL).default(1).describe('how many at most, up to 20'),
    }),
  },
  send: {
    about: 'Send a message. It is stored before this returns; the recipient is woken by it.',
    input: SendTool.extend({
      /** Retries with the same key return the first id. */
      key: z.string().min(1).max(128).optional(),
    }),
    output: z.object({ id: z.number().int(), ids: z.array(z.number().int()) }),
    tool: SendTool,
  },
  ack: {
    about: 'End the turn well: everything it leased is done.',
    input: z.strictObject({ epoch: z.number().int(), ids: z.array(z.number().int()).min(1), end: TurnEnd }),
    output: z.object({}),
  },
  release: {
    about: 'End the turn without success: the daemon decides what becomes of the messages it leased.',
    input: z.strictObject({ epoch: z.number().int(), ids: z.array(z.number().int()).min(1), end: TurnEnd }),
    output: z.object({
      /** What became of the message that woke the turn. */
      action: z.enum(['retry', 'parked', 'dead', 'done']),
    }),
  },
  inbox: {
    about: 'What waits in your inbox, in the order of delivery, bodies cut.',
    input: z.strictObject({ limit: z.number().int().min(1).max(100).default(30) }),
    output: z.object({ messages: z.array(Message) }),
  },
  append_events: {
    about: 'Store live events; numbered within the epoch, a repeated number is ignored.',
    input: z.strictObject({
      epoch: z.number().int(),
      events: z.array(z.object({ n: z.number().int().min(0), at: Moment, event: LiveEvent })).max(500),
    }),
    output: z.object({}),
  },
  commands: {
    about: 'Wait for what the operator wants of this harness.',
    input: z.strictObject({ wait_seconds: Wait }),
    output: z.object({ commands: z.array(Command) }),
  },
  ...agentQuestionOps,
  ...agentPermissionOps,
  ...agentLoginOps,
  ...agentScheduleOps,
} satisfies Ops

const Name = z.strictObject({ name: SubAgentName.describe('the agent; not yourself') })
const NewName = SubAgentName.describe('its name: at most 9 characters')
const Reason = z.string().max(2000).optional().describe('one or two sentences for the operator')
const Request = z.strictObject({ name: NewName, reason: Reason })
const Requested = z.object({ id: ApprovalId })

/** Longest pack of a proposal, in bytes before base64. */
export const MAX_PACK_BYTES = 700 * 1024
const MAX_PACK_BASE64 = Math.ceil(MAX_PACK_BYTES / 3) * 4
const Configured = z.union([z.literal(MANAGER), SubAgentName])

/** The manager's socket: what every agent has, and the lifecycle of the agents that exist. */
export const managerOps = {
  ...agentOps,
  kill: {
    about: 'Stop an agent. It stays stopped until someone starts it.',
    input: Name,
    output: z.object({}),
    tool: Name,
  },
  start: { about: 'Start a stopped agent.', input: Name, output: z.object({}), tool: Name },
  restart: {
    about: 'Stop and start an agent; its session and notes stay.',
    input: Name,
    output: z.object({}),
    tool: Name,
  },
  ...managerSupervisionOps,
  request_spawn: {
    about:
      'Ask the operator for a new agent with the default configuration (or for one that was destroyed). You are told with an event how it ends.',
    input: Request,
    output: Requested,
    tool: Request,
  },
  request_init_config: {
    about:
      'Ask the operator for the repository of an agent that does not exist yet. Once approved it is at /proposed/<name>: write its agent.json, commit, and request_apply_commit. The agent is made when that is approved.',
    input: Request,
    output: Requested,
    tool: Request,
  },
  request_apply_commit: {
    about:
      'Propose a commit of /proposed/<agent> to the operator: they see its diff to what runs now. It must descend from applied/main. From then on it cannot change; to change it, propose another.',
    input: z.strictObject({
      agent: Configured,
      sha: CommitId,
      /** `git pack-objects --revs --thin` of what `applied/main` has not. */
      pack: z.base64().max(MAX_PACK_BASE64),
      description: Reason,
    }),
    output: z.object({ id: ApprovalId, sha: z.string(), base: z.string() }),
    tool: z.strictObject({
      agent: Configured.describe('whose configuration; your own is "manager"'),
      commit_ref: z.string().min(1).max(200).describe('a commit of /proposed/<agent>, such as HEAD'),
      description: Reason,
    }),
  },
  cancel_approval: {
    about: 'Take back a request of yours that the operator has not decided.',
    input: z.strictObject({ id: ApprovalId }),
    output: z.object({}),
    tool: z.strictObject({ id: ApprovalId }),
  },
  notes: {
    about: `List the files in an agent's /state, or read one of them (64 KiB at most).`,
    input: z.strictObject({ agent: z.union([z.literal(MANAGER), SubAgentName]), path: z.string().max(512).optional() }),
    output: z.object({ text: z.string() }),
    tool: z.strictObject({
      agent: SubAgentName,
      path: z.string().max(512).optional().describe('relative to /state; without it the files are listed'),
    }),
  },
} satisfies Ops
