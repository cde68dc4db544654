import { Hourglass } from 'lucide-react'
import type { Permission } from '../../../wire/permissions.ts'
import { LinkButton } from '../../ui/button.tsx'
import { Until } from '../../ui/time.tsx'
import { visibleLine } from '../../ui/visible.ts'

export type WaitingPermission = Pick<Permission, 'id' | 'tool' | 'input' | 'description' | 'deadlineAt'>

/** For what the turn waits: the calls that an agent's configuration does not allow by themselves. */
export const WaitingPermissions = ({ permissions }: { permissions: readonly WaitingPermission[] }) =>
  permissions.map(({ id, tool, input, description, deadlineAt }) => (
    <div key={id} role="status" className="flex items-center gap-2 border-t border-line bg-panel px-3 py-1.5">
      <Hourglass size={14} className="shrink-0 text-accent" />
      <span className="min-w-0 flex-1 truncate">
        <span className="font-mono text-info">{visibleLine(tool)}</span> waits for your permission:{' '}
        <span className="font-mono text-dim">{visibleLine(description ?? input)}</span>
      </span>
      <span className="shrink-0 text-xs text-faint">
        refused <Until at={deadlineAt} />
      </span>
      <LinkButton href="/">Decide</LinkButton>
    </div>
  ))
