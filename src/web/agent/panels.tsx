import { lazy } from 'react'
import type { Agent } from '../../wire/things.ts'
import { Config } from './config.tsx'
import { Inbox } from './inbox.tsx'
import { Journal } from './journal.tsx'
import type { PanelName } from './panel-names.ts'
import { Stats } from './stats.tsx'

const TerminalPanel = lazy(() =>
  import('./terminal/terminal-panel.tsx').then(({ TerminalPanel }) => ({ default: TerminalPanel })),
)

/** What stands beside the transcript; apart from it, since few who look at an agent open one. */
export function Panels({ panel, agent }: { panel: Exclude<PanelName, 'login'>; agent: Agent }) {
  switch (panel) {
    case 'inbox':
      return <Inbox agent={agent.name} />
    case 'journal':
      return <Journal agent={agent.name} />
    case 'config':
      return <Config agent={agent} />
    case 'stats':
      return <Stats agent={agent} />
    case 'terminal':
      return <TerminalPanel agent={agent.name} />
  }
}
