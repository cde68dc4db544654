import { z } from 'zod'
import { AgentName, SubAgentName } from './names.ts'
import type { Ops } from './op.ts'

const None = z.object({})
const ByAgent = z.strictObject({ agent: AgentName })

/** Something that is being done to an agent as a whole, one thing at a time. */
export const Operation = z.object({
  verb: z.string(),
  /** Unix milliseconds. */
  since: z.number(),
})
export type Operation = z.infer<typeof Operation>

/** Nothing is delivered to a paused agent; its container runs on. */
export const Paused = z.object({ since: z.number(), reason: z.string() })
export type Paused = z.infer<typeof Paused>

/** What the operator can do to agents beside start, kill and restart. */
export const supervisionOps = {
  rebuild: {
    about:
      'Put an agent on what is current: the programs of this hive, its deployed configuration, its settings. Ends its turn first, or interrupts it with `now`. Returns when it is well, or throws.',
    input: ByAgent.extend({ now: z.boolean().default(false) }),
    output: None,
  },
  pause: {
    about:
      'Deliver nothing more to an agent. Its turn may end; with `now` it is interrupted, and its messages come again.',
    input: ByAgent.extend({ now: z.boolean().default(false), reason: z.string().max(500).default('') }),
    output: None,
  },
  resume: { about: 'Let a paused agent go on.', input: ByAgent, output: None },
  stop_all: {
    about:
      'Emergency stop: interrupt every turn, deliver nothing to anybody, until `resume_all`. Survives a restart of the daemon.',
    input: z.strictObject({ reason: z.string().max(500).default('') }),
    output: z.object({ interrupted: z.number().int() }),
  },
  resume_all: {
    about: 'End the emergency stop. Agents that were paused one by one stay so.',
    input: z.strictObject({}),
    output: None,
  },
} satisfies Ops

const Update = z.strictObject({ name: SubAgentName.describe('the agent; not yourself') })

/** What the manager can do. */
export const managerSupervisionOps = {
  update: {
    about:
      'Put an agent on the current programs of the hive and its deployed configuration; its session and notes stay.',
    input: Update,
    output: None,
    tool: Update,
  },
} satisfies Ops
