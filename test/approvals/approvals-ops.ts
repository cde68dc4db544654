import { z } from 'zod'
import type { Ops } from '../../src/wire/op.ts'

/** Approvals over a socket, without containers: nothing that is approved is deployed. */
export const approvalsOps = {
  seed: { about: 'Make a repository.', input: z.strictObject({ agent: z.string() }), output: z.object({}) },
  propose: {
    about: 'Propose a commit.',
    input: z.strictObject({ agent: z.string(), sha: z.string(), pack: z.string() }),
    output: z.object({ id: z.number(), base: z.string() }),
  },
  approve: {
    about: 'Approve it.',
    input: z.strictObject({ id: z.number(), base: z.string(), sha: z.string() }),
    output: z.object({}),
  },
} satisfies Ops
