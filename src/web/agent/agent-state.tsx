import {
  Brain,
  CircleDot,
  CircleHelp,
  CircleOff,
  Hourglass,
  KeyRound,
  Loader,
  type LucideIcon,
  Moon,
  Package,
  Pause,
  Square,
  TriangleAlert,
} from 'lucide-react'
import type { Agent, AgentState } from '../../wire/things.ts'
import { useIsLive } from '../api/live.ts'
import { Badge, type Tone } from '../ui/badge.tsx'
import { Elapsed } from '../ui/time.tsx'
import { visibleLine } from '../ui/visible.ts'

const LOOKS: Readonly<Record<AgentState, readonly [word: string, tone: Tone, icon: LucideIcon]>> = {
  stopped: ['stopped', 'faint', Square],
  offline: ['offline', 'err', CircleOff],
  starting: ['starting', 'info', Loader],
  needs_login: ['needs login', 'accent', KeyRound],
  parked: ['parked', 'accent', Moon],
  paused: ['paused', 'accent', Pause],
  asking: ['asking', 'accent', CircleHelp],
  waiting: ['waiting', 'info', Hourglass],
  thinking: ['thinking', 'think', Brain],
  compacting: ['compacting', 'info', Package],
  idle: ['idle', 'plain', CircleDot],
  failed: ['failed', 'err', TriangleAlert],
}

/** What an agent does, in a word, and for how long; grey while that may be old. */
export function StateBadge({ agent: { state, stateSince, detail, operation } }: { agent: Agent }) {
  const isLive = useIsLive()
  const [word, tone, Icon] = LOOKS[state]
  if (operation) {
    return (
      <Badge tone={isLive ? 'info' : 'faint'} className={isLive ? 'animate-pulse' : undefined}>
        <Loader size={14} aria-hidden="true" /> {operation.verb} <Elapsed since={operation.since} />
      </Badge>
    )
  }
  return (
    <Badge tone={isLive ? tone : 'faint'} title={detail === null ? undefined : visibleLine(detail)}>
      <Icon size={14} aria-hidden="true" /> {word} <Elapsed since={stateSince} />
    </Badge>
  )
}
