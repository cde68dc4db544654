import { CircleCheck, CircleX } from 'lucide-react'
import { Link } from 'wouter'
import type { DeployRecord } from '../../wire/approvals.ts'
import { shortSha, spanText } from '../ui/figures.ts'
import { Ago } from '../ui/time.tsx'
import { visibleLine } from '../ui/visible.ts'

/** One deploy: how it went, of which commit, and the way to its approval with diff and log. */
export const DeployRow = ({
  deploy: { agent, approval, sha, tag, state, at, tookMs, note },
}: {
  deploy: DeployRecord
}) => (
  <li className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-2 last:border-0">
    {state === 'deployed' ? (
      <CircleCheck size={14} aria-label="deployed" className="text-ok" />
    ) : (
      <CircleX size={14} aria-label="failed" className="text-err" />
    )}
    <span className="font-mono text-xs text-faint" title={sha}>
      {shortSha(sha)}
    </span>
    <Link href={`/a/${agent}`} className="font-semibold hover:text-accent">
      {agent}
    </Link>
    {approval === null ? (
      <span className="font-mono text-xs text-dim">{tag}</span>
    ) : (
      <Link href={`/approvals/${approval}`} className="font-mono text-xs text-info hover:underline">
        {tag}
      </Link>
    )}
    {tookMs !== null && <span className="text-xs text-faint">{spanText(tookMs)}</span>}
    <span className="ml-auto">
      <Ago at={at} />
    </span>
    {note !== null && <span className="w-full break-words text-err">{visibleLine(note, 300)}</span>}
  </li>
)
