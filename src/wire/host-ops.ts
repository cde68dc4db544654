import { z } from 'zod'
import { SecretName } from './agent-config.ts'
import { Body } from './agent-ops.ts'
import {
  Approval,
  ApprovalId,
  ApprovalState,
  AuditEntry,
  CommitId,
  DeployLine,
  DeployRecord,
  Diff,
} from './approvals.ts'
import { StoredEvent } from './events.ts'
import { housekeepingOps } from './housekeeping.ts'
import { hostLoginOps } from './logins.ts'
import { hostMoneyOps } from './money.ts'
import { AgentName, Recipient, SubAgentName } from './names.ts'
import type { Ops } from './op.ts'
import { hostPermissionOps } from './permissions.ts'
import { hostQuestionOps } from './questions.ts'
import { hostScheduleOps } from './schedules.ts'
import { Paused, supervisionOps } from './supervision.ts'
import { terminalOps } from './terminals.ts'
import { Agent, Message, MessageState, Need } from './things.ts'
import { Undecodable } from './undecodable.ts'
import { webOps } from './web.ts'

const None = z.object({})
const ByAgent = z.strictObject({ agent: AgentName })
const Wait = z.number().min(0).max(60).default(0)
const MessageId = z.strictObject({ id: z.number().int().positive() })

/** Everything the operator can do: the host socket and the dashboard. */
export const hostOps = {
  ping: {
    about: 'Say that the daemon serves.',
    input: z.strictObject({}),
    output: z.object({ pid: z.number(), version: z.string() }),
  },
  status: {
    about: 'What the hive is, how it runs, and what is wrong with it.',
    input: z.strictObject({}),
    output: z.object({
      version: z.string(),
      revision: z.string(),
      pid: z.number(),
      startedAt: z.number(),
      stateDir: z.string(),
      runDir: z.string(),
      runtime: z.string(),
      /** 'demo': a scripted model answers, nothing is sent to Anthropic. */
      model: z.enum(['demo', 'real']),
      /** 'host': agents use the network of this machine. */
      network: z.enum(['none', 'host']),
      /** The operator may open shells in sandboxes. */
      terminal: z.boolean(),
      slots: z.object({ used: z.number().int(), total: z.number().int() }),
      agents: z.array(Agent),
      messages: z.record(MessageState, z.number().int()),
      needs: z.number().int(),
      /** The emergency stop is on. */
      stopped: Paused.nullable(),
      /** Rows, watchers and stores that fail: never silent. */
      errors: z.array(z.object({ where: z.string(), problem: z.string(), since: z.number() })),
    }),
  },
  list: { about: 'List the agents.', input: z.strictObject({}), output: z.object({ agents: z.array(Agent) }) },
  spawn: {
    about: 'Create an agent and start it. Returns when its harness said hello.',
    input: z.strictObject({ name: SubAgentName }),
    output: z.object({ agent: Agent, warnings: z.array(z.string()) }),
  },
  start: { about: 'Start an agent and keep it running.', input: ByAgent, output: z.object({ agent: Agent }) },
  kill: {
    about: 'Stop an agent after its turn and keep it stopped.',
    input: ByAgent.extend({ now: z.boolean().default(false) }),
    output: z.object({ agent: Agent }),
  },
  restart: {
    about: 'Stop an agent after its turn and start it again.',
    input: ByAgent.extend({ now: z.boolean().default(false) }),
    output: z.object({ agent: Agent }),
  },
  destroy: {
    about: 'Remove an agent. Its notes and login are kept unless purged.',
    input: z.strictObject({ agent: SubAgentName, purge: z.boolean().default(false) }),
    output: None,
  },
  send: {
    about: 'Send a message as the operator.',
    input: z.strictObject({
      to: Recipient,
      body: Body,
      reply_to: z.number().int().positive().optional(),
      key: z.string().min(1).max(128).optional(),
    }),
    output: z.object({ id: z.number().int(), ids: z.array(z.number().int()) }),
  },
  messages: {
    about:
      'List messages, newest last. With `after` it gives what changed since that cursor, waiting for it if told to.',
    input: z.strictObject({
      agent: z.union([AgentName, z.literal('operator')]).optional(),
      state: MessageState.optional(),
      limit: z.number().int().min(1).max(1000).default(50),
      after: z.number().int().min(0).optional(),
      wait_seconds: Wait,
    }),
    output: z.object({ messages: z.array(Message), cursor: z.number().int(), errors: z.array(Undecodable) }),
  },
  message: { about: 'Show one message.', input: MessageId, output: z.object({ message: Message }) },
  events: {
    about:
      'Live events of an agent, oldest first: the newest, or those before an event. With `after` it waits for more if told to.',
    input: z.strictObject({
      agent: AgentName,
      before: z.number().int().min(0).optional(),
      after: z.number().int().min(0).optional(),
      limit: z.number().int().min(1).max(500).default(100),
      wait_seconds: Wait,
    }),
    output: z.object({ events: z.array(StoredEvent), cursor: z.number().int() }),
  },
  cancel: {
    about: 'Interrupt the turn in progress; its messages are done, marked cancelled.',
    input: ByAgent,
    output: None,
  },
  compact: { about: 'Shorten the context of an agent.', input: ByAgent, output: None },
  new_session: { about: 'Begin a fresh session; notes stay.', input: ByAgent, output: None },
  model: {
    about: 'Show or set the model of an agent; `default` returns to the default of the hive.',
    input: ByAgent.extend({ model: z.string().min(1).max(100).optional() }),
    output: z.object({ model: z.string(), source: z.enum(['operator', 'config', 'default']) }),
  },
  unpark: { about: 'Let a parked agent go on now.', input: ByAgent, output: z.object({ agent: Agent }) },
  needs: {
    about: 'What waits for the operator.',
    input: z.strictObject({}),
    output: z.object({ needs: z.array(Need) }),
  },
  requeue: { about: 'Deliver a dead message again.', input: MessageId, output: z.object({ message: Message }) },
  drop: { about: 'Take a dead message off the list.', input: MessageId, output: z.object({ message: Message }) },
  allow: {
    about: 'Let a paused chain of messages go on for 16 more hops, or stop it for good.',
    input: z.strictObject({ root: z.number().int().positive(), stop: z.boolean().default(false) }),
    output: None,
  },
  request_spawn: {
    about: 'Queue a request for a new agent, to be approved like one of the manager’s.',
    input: z.strictObject({ name: SubAgentName, reason: z.string().max(2000).optional() }),
    output: z.object({ approval: Approval }),
  },
  pending: {
    about: 'List what waits for a decision or is being deployed, oldest first.',
    input: z.strictObject({
      /** Also those that have ended, newest last. */
      all: z.boolean().default(false),
      agent: AgentName.optional(),
      state: ApprovalState.optional(),
      limit: z.number().int().min(1).max(1000).default(200),
    }),
    output: z.object({ approvals: z.array(Approval), errors: z.array(Undecodable) }),
  },
  show: {
    about:
      'Show an approval and, for a commit, its diff to what runs now. A stale one is pending again once it was shown.',
    input: z.strictObject({ id: ApprovalId }),
    output: z.object({
      approval: Approval,
      diff: Diff.nullable(),
      /** Subject, author and message of the commit: the requester’s words. */
      commit: z.object({ author: z.string(), at: z.number(), message: z.string() }).nullable(),
      /** Why it cannot be approved as it is. */
      problem: z.string().nullable(),
    }),
  },
  approve: {
    about: 'Approve exactly what was shown: id, base and commit must be those. Returns once the decision is durable.',
    input: z.strictObject({ id: ApprovalId, base: CommitId.nullable(), sha: CommitId.nullable() }),
    output: z.object({ approval: Approval }),
  },
  deny: {
    about: 'Deny a request; the manager is told why.',
    input: z.strictObject({ id: ApprovalId, reason: z.string().max(4000).default('') }),
    output: z.object({ approval: Approval }),
  },
  deploy_log: {
    about: 'Follow a deploy: its log after a line, waiting for more while it goes on.',
    input: z.strictObject({ id: ApprovalId, after: z.number().int().min(0).default(0), wait_seconds: Wait }),
    output: z.object({ approval: Approval, lines: z.array(DeployLine) }),
  },
  deploys: {
    about: 'List deploys, newest last.',
    input: z.strictObject({ agent: AgentName.optional(), limit: z.number().int().min(1).max(1000).default(20) }),
    output: z.object({ deploys: z.array(DeployRecord), errors: z.array(Undecodable) }),
  },
  config: {
    about:
      'Show the configuration that an agent runs with: its agent.json of the deployed commit. Secrets are only named.',
    input: ByAgent,
    output: z.object({
      /** Null: nothing was deployed yet. */
      sha: CommitId.nullable(),
      /** Null: that commit has no agent.json, and everything is left to the hive. */
      text: z.string().nullable(),
    }),
  },
  audit: {
    about: 'List decisions, deploys and what else the operator and the manager did to agents, newest last.',
    input: z.strictObject({
      agent: AgentName.optional(),
      approval: ApprovalId.optional(),
      limit: z.number().int().min(1).max(1000).default(50),
    }),
    output: z.object({ entries: z.array(AuditEntry), errors: z.array(Undecodable) }),
  },
  secrets: {
    about: 'List the names of the secrets that configurations may refer to, never their values.',
    input: z.strictObject({}),
    output: z.object({ secrets: z.array(z.object({ name: z.string(), setAt: z.number() })) }),
  },
  set_secret: {
    about: 'Keep a secret under a name. Agents that use it have it from their next start on.',
    input: z.strictObject({
      name: SecretName,
      value: z
        .string()
        .min(1)
        .max(32 * 1024),
    }),
    output: None,
  },
  remove_secret: { about: 'Forget a secret.', input: z.strictObject({ name: SecretName }), output: None },
  ...supervisionOps,
  ...hostQuestionOps,
  ...hostPermissionOps,
  ...hostLoginOps,
  ...hostMoneyOps,
  ...hostScheduleOps,
  ...housekeepingOps,
  ...terminalOps,
  ...webOps,
  shutdown: {
    about: 'End the daemon. Agents go on running unless told to stop.',
    input: z.strictObject({ stopAgents: z.boolean().default(false) }),
    output: None,
  },
} satisfies Ops
