import { z } from 'zod'

/** Full id of a commit. Abbreviations and names of refs are refused: what they mean can change. */
export const CommitId = z.string().regex(/^[0-9a-f]{40}$/, 'must be the full 40 hex digits of a commit')

export const ApprovalId = z.number().int().positive()

export const ApprovalKind = z.enum(['spawn', 'init_config', 'apply_commit'])
export type ApprovalKind = z.infer<typeof ApprovalKind>

/**
 * pending: waits for the operator · stale: what runs has changed since it was shown, so it must be shown again ·
 * approved: queued or being deployed · deployed, failed, denied, cancelled: how it ended.
 */
export const ApprovalState = z.enum(['pending', 'stale', 'approved', 'deployed', 'failed', 'denied', 'cancelled'])
export type ApprovalState = z.infer<typeof ApprovalState>

/** What a deploy does at the moment. */
export const DeployStep = z.enum(['queued', 'building', 'switching', 'checking', 'promoting', 'rolling_back', 'done'])
export type DeployStep = z.infer<typeof DeployStep>

/** A decision that the operator is asked for, or was. Kept for ever. */
export const Approval = z.object({
  id: ApprovalId,
  agent: z.string(),
  kind: ApprovalKind,
  state: ApprovalState,
  /** The commit that is proposed; null where there is none. */
  sha: z.string().nullable(),
  /** What ran when it was shown last: `applied/main`; null where there is none. */
  base: z.string().nullable(),
  /** Who asks: `manager` or `operator`. */
  requester: z.string(),
  /** The requester’s words. */
  description: z.string().nullable(),
  requestedAt: z.number(),
  decidedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  /** Why it was denied or failed. */
  note: z.string().nullable(),
  /** Of a deploy in progress. */
  step: DeployStep.nullable(),
  /** 1 for the next in the queue; null when it is not queued. */
  position: z.number().int().nullable(),
  /** The terminal tag in the applied repository: `deployed/7`. */
  tag: z.string().nullable(),
})
export type Approval = z.infer<typeof Approval>

/** What a proposal changes, so that it cannot lie: control characters are spelled out, nothing is left out unsaid. */
export const Diff = z.object({
  base: z.string(),
  sha: z.string(),
  files: z.array(
    z.object({
      /** As git quotes it. */
      path: z.string(),
      change: z.enum(['added', 'deleted', 'modified']),
      added: z.number().int(),
      removed: z.number().int(),
      /** What a reader could miss: modes, control characters, binary content. */
      remarks: z.array(z.string()),
    }),
  ),
  /** Unified diff; empty when the trees are the same. */
  text: z.string(),
  /** Why it is not complete; then it cannot be approved. */
  truncated: z.string().nullable(),
})
export type Diff = z.infer<typeof Diff>

/** A line of a deploy’s log. */
export const DeployLine = z.object({ n: z.number().int(), at: z.number(), text: z.string() })
export type DeployLine = z.infer<typeof DeployLine>

/** One commit of the meta repository: what was deployed when. */
export const DeployRecord = z.object({
  agent: z.string(),
  approval: ApprovalId.nullable(),
  sha: z.string(),
  tag: z.string(),
  state: z.enum(['deployed', 'failed']),
  at: z.number(),
  /** Milliseconds from the approval to the end. */
  tookMs: z.number().nullable(),
  note: z.string().nullable(),
})
export type DeployRecord = z.infer<typeof DeployRecord>

/** One line of the audit log: append-only. */
export const AuditEntry = z.object({
  id: z.number().int(),
  at: z.number(),
  /** `operator`, `manager` or `system`. */
  actor: z.string(),
  verb: z.string(),
  agent: z.string().nullable(),
  approval: ApprovalId.nullable(),
  detail: z.record(z.string(), z.unknown()),
})
export type AuditEntry = z.infer<typeof AuditEntry>
