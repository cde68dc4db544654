import { useRef, useState } from 'react'
import { Link } from 'wouter'
import type { Agent } from '../../wire/things.ts'
import { AgentFigures } from '../agent/agent-figures.tsx'
import { AgentMenu, useAgentDeeds } from '../agent/agent-menu.tsx'
import { StateBadge } from '../agent/agent-state.tsx'
import { useIsLive, useLive } from '../api/live.ts'
import { quietly } from '../api/use-deed.ts'
import { Badge, Count } from '../ui/badge.tsx'
import { Button, LinkButton } from '../ui/button.tsx'
import { shortSha } from '../ui/figures.ts'
import { Empty, Panel } from '../ui/panel.tsx'
import { Words } from '../ui/words.tsx'
import { keepOrder, orderAgents } from './agent-order.ts'
import { RequestSpawnDialog } from './request-spawn-dialog.tsx'

/** Who there is, what each does, and what can be done with it. */
export function Agents() {
  const agents = useOrderedAgents()
  const [isRequesting, setRequesting] = useState(false)
  return (
    <Panel
      title="Agents"
      beside={<Count of={agents.list.length} />}
      actions={
        <Button onClick={() => setRequesting(true)}>
          <Words>Request spawn</Words>
        </Button>
      }
    >
      {agents.list.length === 0 && (
        <Empty>
          There is no agent. <code className="font-mono">hive status</code> says why the manager is missing.
        </Empty>
      )}
      <ul onPointerEnter={agents.hold} onPointerLeave={agents.release}>
        {agents.list.map((agent) => (
          <AgentRow key={agent.name} agent={agent} />
        ))}
      </ul>
      {isRequesting && <RequestSpawnDialog onClose={() => setRequesting(false)} />}
    </Panel>
  )
}

/** In the order of what needs attention; as it was while the pointer is over it. */
function useOrderedAgents() {
  const agents = useLive(({ state }) => state?.agents) ?? []
  const needs = useLive(({ state }) => state?.needs) ?? []
  const [isHeld, setHeld] = useState(false)
  const shown = useRef<readonly string[]>([])
  const list = isHeld ? keepOrder(agents, shown.current) : orderAgents(agents, needs)
  shown.current = list.map(({ name }) => name)
  return { list, hold: () => setHeld(true), release: () => setHeld(false) }
}

const AgentRow = ({ agent }: { agent: Agent }) => (
  <li className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-1.5 border-b border-line px-3 py-2 last:border-0">
    <Link href={`/a/${agent.name}`} className="min-w-24 font-semibold hover:text-accent">
      {agent.name}
    </Link>
    {agent.role === 'manager' && <Badge>manager</Badge>}
    <StateBadge agent={agent} />
    <AgentFigures agent={agent} />
    <span className="ml-auto flex items-center gap-2">
      {agent.sha !== null && (
        <span title={`Runs configuration ${agent.sha}`} className="hidden font-mono text-xs text-faint md:inline">
          {shortSha(agent.sha)}
        </span>
      )}
      <NextStep agent={agent} />
      <AgentMenu agent={agent} />
    </span>
  </li>
)

/** The one thing that an agent in this state needs most. */
function NextStep({ agent: { name, state, desired, needsUpdate, paused, operation } }: { agent: Agent }) {
  const deeds = useAgentDeeds(name)
  const isLive = useIsLive()
  if (operation) return null
  const step = (words: string, deed: () => Promise<unknown>) => (
    <Button disabled={!isLive} aria-label={`${words} ${name}`} onClick={() => quietly(deed())}>
      <Words>{words}</Words>
    </Button>
  )
  if (state === 'needs_login') return <LinkButton href={`/a/${name}?panel=login`}>Log in</LinkButton>
  if (desired === 'stopped') return step('Start', deeds.start)
  if (paused) return step('Resume', deeds.resume)
  if (needsUpdate) return step('Rebuild', deeds.rebuild)
  return null
}
