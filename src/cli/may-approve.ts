import type { Approval } from '../wire/approvals.ts'
import { HiveError } from '../wire/errors.ts'
import type { Shown } from './approval-text.ts'
import { shortSha } from './short-sha.ts'

/** What the operator says of the approval that is meant. */
export interface Meant {
  /** Its commit, or at least 7 digits of it. */
  readonly sha?: string
  /** Nobody is asked. */
  readonly yes?: boolean
}

/**
 * Throws `conflict` when an approval is of another commit than the one that is named, or when nobody names or sees one whose base has
 * changed. To be asked before it is shown too: showing makes a stale one pending again.
 */
export function assertMeant({ id, sha, state }: Approval, meant: Meant): void {
  if (meant.sha !== undefined && !sha?.startsWith(meant.sha)) {
    const of = sha === null ? 'has no commit' : `is of commit ${sha}`
    throw new HiveError('conflict', `approval ${id} ${of}, not ${meant.sha}`, { hint: `hive show ${id}` })
  }
  if (state === 'stale' && isUnseen(meant)) throw unseen(id, sha)
}

/**
 * Throws `conflict`, saying why, when what was shown cannot be approved: also when its base is not the one of `before`, the same
 * approval a moment earlier, and nobody looks.
 */
export function assertApprovable({ approval, diff, problem }: Shown, before: Approval | undefined, meant: Meant): void {
  const { id, state, base, sha } = approval
  if (state !== 'pending') {
    throw new HiveError('conflict', `approval ${id} is ${state}`, { hint: `hive show ${id} tells more` })
  }
  const obstacle = problem ?? (diff?.truncated ? `its diff is not complete: ${diff.truncated}` : undefined)
  if (obstacle !== undefined) {
    const hint = `hive show ${id} has the details, hive deny ${id} -m '<why>' sends it back`
    throw new HiveError('conflict', `approval ${id} cannot be approved: ${obstacle}`, { hint })
  }
  if (before?.base !== base && isUnseen(meant)) throw unseen(id, sha)
}

const isUnseen = ({ sha, yes }: Meant): boolean => yes === true && sha === undefined

const unseen = (id: number, sha: string | null): HiveError =>
  new HiveError('conflict', `what runs has changed since approval ${id} was shown, and nobody has seen it since`, {
    hint: `look at hive show ${id}, then: hive approve ${id}${sha === null ? '' : ` --sha ${shortSha(sha)}`}`,
  })
