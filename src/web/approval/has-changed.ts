import type { Approval } from '../../wire/approvals.ts'

/** Whether what was shown to be decided on is something else by now; undefined: it no longer waits. */
export const hasChanged = (shown: Approval, now: Approval | undefined): boolean =>
  now === undefined || now.state !== shown.state || now.sha !== shown.sha || now.base !== shown.base
