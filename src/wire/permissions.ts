import { z } from 'zod'
import { Approval } from './approvals.ts'
import { AgentName } from './names.ts'
import type { Ops } from './op.ts'
import { Undecodable } from './undecodable.ts'

const PermissionId = z.number().int().positive()
const ById = z.strictObject({ id: PermissionId })

/** pending: the turn waits for the operator · permitted, refused · expired: nobody decided in time · withdrawn: the turn ended. */
export const PermissionState = z.enum(['pending', 'permitted', 'refused', 'expired', 'withdrawn'])
export type PermissionState = z.infer<typeof PermissionState>

/** A use of a tool that an agent's configuration does not allow, and that its engine asks for. */
export const Permission = z.object({
  id: PermissionId,
  agent: z.string(),
  tool: z.string(),
  /** What the tool is to be called with: JSON, the agent's claim. */
  input: z.string(),
  /** The engine's own words for it, where it has some. */
  description: z.string().nullable(),
  /** A pattern for `bash` of agent.json that would allow this and the like for good; null where none can. */
  pattern: z.string().nullable(),
  state: PermissionState,
  askedAt: z.number(),
  /** Unix milliseconds: then it is refused. */
  deadlineAt: z.number(),
  decidedAt: z.number().nullable(),
  /** What the operator told the agent with a refusal. */
  message: z.string().nullable(),
})
export type Permission = z.infer<typeof Permission>

/** The harness speaks for its engine. */
export const agentPermissionOps = {
  ask_permission: {
    about:
      'Ask the operator to permit one use of a tool, and wait for the decision; asked again with the same `request` it is the same question.',
    input: z.strictObject({
      epoch: z.number().int(),
      /** The engine's id of the call. */
      request: z.string().min(1).max(200),
      tool: z.string().min(1).max(200),
      input: z.string().max(64 * 1024),
      description: z.string().max(2000).optional(),
      wait_seconds: z.number().min(0).max(180).default(0),
    }),
    output: z.object({ state: PermissionState, message: z.string().nullable() }),
  },
  withdraw_permission: {
    about: 'The engine does not ask any more.',
    input: z.strictObject({ epoch: z.number().int(), request: z.string().min(1).max(200) }),
    output: z.object({}),
  },
} satisfies Ops

export const hostPermissionOps = {
  permission: {
    about: 'Show one permission with its whole input.',
    input: ById,
    output: z.object({ permission: Permission }),
  },
  permissions: {
    about: 'List what agents ask to be permitted, oldest first, long inputs cut.',
    input: z.strictObject({
      all: z.boolean().default(false),
      agent: AgentName.optional(),
      limit: z.number().int().min(1).max(1000).default(200),
    }),
    output: z.object({ permissions: z.array(Permission), errors: z.array(Undecodable) }),
  },
  permit: {
    about: 'Permit this one use of a tool.',
    input: ById,
    output: z.object({ permission: Permission }),
  },
  refuse: {
    about: 'Refuse it; the agent goes on without, and reads the message.',
    input: ById.extend({ message: z.string().max(2000).default('') }),
    output: z.object({ permission: Permission }),
  },
  propose_permission: {
    about:
      'Propose a change of the agent’s configuration that allows the like for good. It is an approval like any other: nothing is granted before that is approved and deployed.',
    input: ById.extend({ /** For `bash` of agent.json, such as "npm test *". */ pattern: z.string().min(1).max(256) }),
    output: z.object({ approval: Approval }),
  },
} satisfies Ops
