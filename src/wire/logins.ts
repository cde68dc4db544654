import { z } from 'zod'
import { AgentName } from './names.ts'
import type { Ops } from './op.ts'

const None = z.object({})
const ByAgent = z.strictObject({ agent: AgentName })

/** With which kind of account: a subscription, or the pay-per-use console. */
export const LoginMethod = z.enum(['claudeai', 'console'])
export type LoginMethod = z.infer<typeof LoginMethod>

/**
 * A login that is being made inside an agent's sandbox by `claude auth login`: that agent's claim.
 * starting · waiting: open `url`, then bring the code · checking: the code was handed over · done, failed, cancelled: how it ended.
 */
export const LoginFlow = z.object({
  state: z.enum(['starting', 'waiting', 'checking', 'done', 'failed', 'cancelled']),
  url: z.string().max(4096).nullable(),
  /** What the program said, without the URL; codes and tokens never. */
  output: z.string().max(8192),
  /** What is wrong with the last code, or why it failed. */
  problem: z.string().max(1000).nullable(),
  since: z.number(),
  /** Grows with every change, so that a reader can wait for the next. */
  version: z.number().int(),
})
export type LoginFlow = z.infer<typeof LoginFlow>

/** What the provider's page shows; it becomes one line of the program's stdin. */
const LoginCode = z
  .string()
  .trim()
  .max(4096)
  .regex(/^[^\s\p{Cc}]+$/u, 'is no code: copy all of it, and nothing else')

export const agentLoginOps = {
  report_login: {
    about: 'Tell how the login goes that the operator asked for.',
    input: LoginFlow.pick({ state: true, url: true, output: true, problem: true }).strict(),
    output: None,
  },
} satisfies Ops

/** Between the daemon and the harness: entries of `Command`. */
export const LOGIN_COMMANDS = [
  z.object({ do: z.literal('login_start'), method: LoginMethod }),
  z.object({ do: z.literal('login_code'), code: z.string() }),
  z.object({ do: z.literal('login_cancel') }),
] as const

const Flow = z.object({ flow: LoginFlow.nullable() })

export const hostLoginOps = {
  login: {
    about: 'Begin a login of an agent. Resolves when its URL is known, or when it failed.',
    input: ByAgent.extend({ method: LoginMethod.default('claudeai') }),
    output: Flow,
  },
  login_code: {
    about:
      'Hand over the code that the provider showed. Resolves when the agent is logged in, or the code was refused.',
    input: ByAgent.extend({ code: LoginCode }),
    output: Flow,
  },
  login_cancel: { about: 'Give a login up.', input: ByAgent, output: Flow },
  logout: {
    about: 'Remove the login that an agent has in its files; one in its environment stays.',
    input: ByAgent,
    /** What the program said: the agent's claim. */
    output: z.object({ text: z.string() }),
  },
  login_status: {
    about: 'How the login of an agent goes; with `after`, a version, it waits for a newer one if told to.',
    input: ByAgent.extend({
      after: z.number().int().min(0).optional(),
      wait_seconds: z.number().min(0).max(60).default(0),
    }),
    output: Flow,
  },
} satisfies Ops
