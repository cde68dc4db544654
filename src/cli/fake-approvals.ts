import { createNotifier } from '../kit/notifier.ts'
import type { Approval, AuditEntry, DeployLine, DeployRecord, Diff } from '../wire/approvals.ts'
import { HiveError } from '../wire/errors.ts'
import type { hostOps } from '../wire/host-ops.ts'
import type { Handlers } from '../wire/op.ts'
import type { Undecodable } from '../wire/undecodable.ts'
import type { Shown } from './approval-text.ts'

const REQUESTED_AT = Date.UTC(2026, 10, 21, 14, 3, 22)
/** What runs, and what is proposed, unless a test says otherwise. */
export const BASE = 'ba5e'.repeat(10)
export const SHA = '5ade0123456789abcdef5ade0123456789abcdef'

export const approvalOf = (id: number, more: Partial<Approval> = {}): Approval => ({
  id,
  agent: 'alice',
  kind: 'apply_commit',
  state: 'pending',
  sha: SHA,
  base: BASE,
  requester: 'manager',
  description: 'more tools\nsecond line',
  requestedAt: REQUESTED_AT,
  decidedAt: null,
  endedAt: null,
  note: null,
  step: null,
  position: null,
  tag: null,
  ...more,
})

export const diffOf = (more: Partial<Diff> = {}): Diff => ({
  base: BASE,
  sha: SHA,
  files: [{ path: 'agent.json', change: 'modified', added: 1, removed: 1, remarks: [] }],
  text: `\
diff --git a/agent.json b/agent.json
index 1111111..2222222 100644
--- a/agent.json
+++ b/agent.json
@@ -1,3 +1,3 @@
 {
-  "model": "haiku"
+  "model": "opus"
 }
`,
  truncated: null,
  ...more,
})

const COMMIT = { author: 'manager <manager@hive>', at: REQUESTED_AT, message: 'use the big model\n\nIt thinks more.' }
/** So that a log of a few lines is a long one. */
const LINES_PER_PAGE = 2
const OPEN: readonly Approval['state'][] = ['pending', 'stale', 'approved']

type Op =
  | 'request_spawn'
  | 'pending'
  | 'show'
  | 'approve'
  | 'deny'
  | 'deploy_log'
  | 'deploys'
  | 'audit'
  | 'secrets'
  | 'set_secret'
  | 'remove_secret'

/** The approvals, deploys and secrets of a FakeHive; how a deploy goes is told by the test. */
export class FakeApprovals {
  readonly deploys: DeployRecord[] = []
  readonly audit: AuditEntry[] = []
  readonly errors: Undecodable[] = []
  readonly secrets = new Map<string, string>()
  readonly #shown = new Map<number, Shown>()
  readonly #lines = new Map<number, DeployLine[]>()
  readonly #changes = createNotifier()

  /** Stores an approval, with a diff when it is of a commit. */
  put(approval: Approval, more: Partial<Omit<Shown, 'approval'>> = {}): void {
    const isCommit = approval.sha !== null
    this.#shown.set(approval.id, {
      approval,
      diff: isCommit ? diffOf() : null,
      commit: isCommit ? COMMIT : null,
      problem: null,
      ...more,
    })
    this.#changes.notify()
  }

  get(id: number): Approval {
    return this.#find(id).approval
  }

  /** Goes on with a deploy: a line of its log, or what becomes of the approval. */
  goOn(id: number, change: Partial<Approval> | string): void {
    if (typeof change === 'string') {
      const lines = this.#lines.get(id) ?? []
      this.#lines.set(id, [...lines, { n: lines.length + 1, at: REQUESTED_AT + 1000 * lines.length, text: change }])
    } else this.#change(id, change)
    this.#changes.notify()
  }

  #find(id: number): Shown {
    const shown = this.#shown.get(id)
    if (!shown) throw new HiveError('not_found', `there is no approval ${id}`, { hint: 'hive pending lists them' })
    return shown
  }

  #change(id: number, change: Partial<Approval>): Approval {
    const shown = this.#find(id)
    const approval = { ...shown.approval, ...change }
    this.#shown.set(id, { ...shown, approval })
    return approval
  }

  handlers(): Pick<Handlers<typeof hostOps>, Op> {
    return {
      request_spawn: ({ name, reason = null }) => {
        const id = this.#shown.size + 1
        const asked = { agent: name, kind: 'spawn', sha: null, base: null, requester: 'operator' } as const
        this.put(approvalOf(id, { ...asked, description: reason }))
        return { approval: this.get(id) }
      },
      pending: ({ all, agent, state, limit }) => {
        const approvals = [...this.#shown.values()]
          .map(({ approval }) => approval)
          .filter((one) => (all || OPEN.includes(one.state)) && (!agent || one.agent === agent))
          .filter((one) => !state || one.state === state)
        return { approvals: approvals.slice(-limit), errors: this.errors }
      },
      show: ({ id }) => {
        if (this.get(id).state === 'stale') this.#change(id, { state: 'pending', base: BASE })
        return this.#find(id)
      },
      approve: ({ id, base, sha }) => {
        const approval = this.get(id)
        if (approval.state !== 'pending' || approval.base !== base || approval.sha !== sha) {
          throw new HiveError('conflict', `approval ${id} is not what was shown`, { hint: `hive show ${id}` })
        }
        const decided = { state: 'approved', decidedAt: REQUESTED_AT, step: 'queued', position: 1 } as const
        return { approval: this.#change(id, decided) }
      },
      deny: ({ id, reason }) => {
        if (this.get(id).state !== 'pending') throw new HiveError('conflict', `approval ${id} is decided`)
        return { approval: this.#change(id, { state: 'denied', note: reason, tag: `denied/${id}` }) }
      },
      deploy_log: async ({ id, after, wait_seconds }, { signal }) => {
        const look = () => ({
          approval: this.get(id),
          lines: (this.#lines.get(id) ?? []).filter(({ n }) => n > after).slice(0, LINES_PER_PAGE),
        })
        const { approval, lines } = look()
        if (approval.state === 'approved' && lines.length === 0 && wait_seconds > 0) {
          await this.#changes.wait(wait_seconds * 1000, signal)
        }
        return look()
      },
      deploys: ({ agent, limit }) => ({
        deploys: this.deploys.filter((one) => !agent || one.agent === agent).slice(-limit),
        errors: [],
      }),
      audit: ({ agent, approval, limit }) => ({
        entries: this.audit
          .filter((one) => (!agent || one.agent === agent) && (!approval || one.approval === approval))
          .slice(-limit),
        errors: this.errors,
      }),
      secrets: () => ({ secrets: [...this.secrets.keys()].map((name) => ({ name, setAt: REQUESTED_AT })) }),
      set_secret: ({ name, value }) => {
        this.secrets.set(name, value)
        return {}
      },
      remove_secret: ({ name }) => {
        if (!this.secrets.delete(name)) throw new HiveError('not_found', `there is no secret ${name}`)
        return {}
      },
    }
  }
}
