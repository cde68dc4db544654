import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { Need } from '../../wire/things.ts'
import { useIsLive } from '../api/live.ts'
import { quietly, useRun } from '../api/use-deed.ts'
import { requestText } from '../approval/request-text.ts'
import { DeadActions } from '../messages/message-row.tsx'
import { Badge, type Tone } from '../ui/badge.tsx'
import { Button, LinkButton } from '../ui/button.tsx'
import { Ago } from '../ui/time.tsx'
import { visibleLine } from '../ui/visible.ts'
import { PermissionNeed } from './permission-need.tsx'
import { QuestionNeed } from './question-need.tsx'

type Plain = Exclude<Need, { kind: 'question' | 'permission' }>

const TITLES: Readonly<Record<Plain['kind'], readonly [title: string, tone: Tone]>> = {
  dead_letter: ['dead letter', 'err'],
  paused_chain: ['paused chain', 'accent'],
  approval: ['approval', 'info'],
  login: ['login', 'accent'],
  parked: ['parked', 'accent'],
  failed: ['failed', 'err'],
  update_failed: ['update failed', 'accent'],
  budget: ['budget', 'accent'],
  paused: ['paused', 'accent'],
  stopped: ['stopped', 'err'],
  low_disk: ['low disk', 'err'],
  undecodable: ['unreadable row', 'err'],
}

/** One thing that waits, and what can be done about it right here. */
export function NeedRow({ need, takesNumbers }: { need: Need; takesNumbers: boolean }) {
  if (need.kind === 'question') return <QuestionNeed question={need.question} takesNumbers={takesNumbers} />
  if (need.kind === 'permission') return <PermissionNeed permission={need.permission} />
  return <PlainNeed need={need} />
}

function PlainNeed({ need }: { need: Plain }) {
  const [title, tone] = TITLES[need.kind]
  return (
    <div className="flex min-h-12 flex-wrap items-center gap-x-2 gap-y-1.5 px-3 py-2">
      <Badge tone={tone}>{title}</Badge>
      <span className="min-w-0 break-words">
        <WhatWaits need={need} /> <Ago at={need.since} />
      </span>
      <span className="ml-auto flex flex-wrap gap-2">
        <Actions need={need} />
      </span>
    </div>
  )
}

const AgentLink = ({ name }: { name: string }) => (
  <Link href={`/a/${name}`} className="font-semibold hover:text-accent">
    {name}
  </Link>
)

function WhatWaits({ need }: { need: Plain }): ReactNode {
  switch (need.kind) {
    case 'dead_letter': {
      const { id, from, to, body, error, failures } = need.message
      const why = error ?? `failed ${failures} times`
      return `#${id} ${from} → ${to}: ${visibleLine(why)}: ${visibleLine(body, 100)}`
    }
    case 'paused_chain':
      return `#${need.rootId}, ${need.hops} hops among ${need.agents.join(', ')}: ${visibleLine(need.reason)}`
    case 'approval': {
      const { id, description } = need.approval
      return (
        <>
          <span className="font-semibold">#{id}</span> {requestText(need.approval)}
          {description !== null && <span className="text-dim">: {visibleLine(description)}</span>}
        </>
      )
    }
    case 'stopped':
      return visibleLine(need.reason) || 'Nothing is delivered to anybody.'
    case 'low_disk':
      return visibleLine(need.detail)
    case 'undecodable':
      return `${need.row.table} ${visibleLine(need.row.id)}: ${visibleLine(need.row.problem)}`
    case 'budget':
      return need.agent === '*' ? visibleLine(need.detail) : <OfAgent need={need} />
    default:
      return <OfAgent need={need} />
  }
}

const OfAgent = ({ need: { agent, detail } }: { need: { agent: string; detail: string } }) => (
  <>
    <AgentLink name={agent} />: {visibleLine(detail, 300)}
  </>
)

function Actions({ need }: { need: Plain }): ReactNode {
  const run = useRun()
  const isLive = useIsLive()
  const act = (words: string, deed: () => Promise<unknown>, look: 'plain' | 'danger' = 'plain') => (
    <Button look={look} disabled={!isLive} onClick={() => quietly(deed())}>
      {words}
    </Button>
  )
  switch (need.kind) {
    case 'approval':
      return (
        <LinkButton look="main" href={need.link}>
          Review
        </LinkButton>
      )
    case 'dead_letter':
      return (
        <>
          <LinkButton href={need.link}>Open</LinkButton>
          <DeadActions id={need.message.id} />
        </>
      )
    case 'paused_chain': {
      const root = need.rootId
      return (
        <>
          <LinkButton href={need.link}>Open</LinkButton>
          {act('Allow 16 more', () => run('allow', { root }, 'The messages go on'))}
          {act('Stop for good', () => run('allow', { root, stop: true }, 'The messages have ended'), 'danger')}
        </>
      )
    }
    case 'login':
      return (
        <LinkButton look="main" href={`${need.link}?panel=login`}>
          Log in
        </LinkButton>
      )
    case 'parked':
      return act('Go on now', () => run('unpark', { agent: need.agent }, `${need.agent} goes on`))
    case 'failed':
      return (
        <>
          <LinkButton href={`${need.link}?panel=journal`}>Journal</LinkButton>
          {act('Start', () => run('start', { agent: need.agent }, `${need.agent} runs`))}
        </>
      )
    case 'update_failed':
      return (
        <>
          <LinkButton href={`${need.link}?panel=journal`}>Journal</LinkButton>
          {act('Rebuild', () => run('rebuild', { agent: need.agent }, `${need.agent} is on what is current`))}
        </>
      )
    case 'budget':
      return need.agent === '*' ? null : <LinkButton href={`${need.link}?panel=stats`}>Spending</LinkButton>
    case 'paused':
      return act('Resume', () => run('resume', { agent: need.agent }, `${need.agent} goes on`))
    case 'stopped':
      return act('End the emergency stop', () => run('resume_all', {}, 'Agents go on'))
    case 'low_disk':
    case 'undecodable':
      return null
  }
}
