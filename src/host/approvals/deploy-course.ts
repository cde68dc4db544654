/** What is known of the deploy of one commit, at any moment, also by a daemon that has just started. */
export interface DeployFacts {
  /** Tags of the approval in the applied repository. */
  readonly tags: ReadonlySet<string>
  readonly isBuilt: boolean
  /** The agent runs with it and is well. */
  readonly isHealthy: boolean
  /** What went wrong. */
  readonly failure: string | null
}

/**
 * approve → mark_approved → mark_building → build → switch → promote → record
 *                                  └────────┴────────┴── roll_back
 */
export type DeployAction = 'mark_approved' | 'mark_building' | 'build' | 'switch' | 'promote' | 'record' | 'roll_back'

/**
 * What a deploy has to do next. Tags survive the daemon, the rest is found out again: one that was killed builds and switches
 * again, and one whose `deployed` tag is there only has to be recorded.
 */
export function nextAction({ tags, isBuilt, isHealthy, failure }: DeployFacts): DeployAction {
  // The tag was set together with `main`: nothing that happened since can undo it.
  if (tags.has('deployed')) return 'record'
  if (failure !== null || tags.has('failed') || tags.has('denied')) return 'roll_back'
  if (!tags.has('approved')) return 'mark_approved'
  if (!tags.has('building')) return 'mark_building'
  if (!isBuilt) return 'build'
  return isHealthy ? 'promote' : 'switch'
}
