import type { HiveState } from '../../wire/hive-state.ts'

export interface PaletteItem {
  readonly value: string
  readonly label: string
  readonly hint: string
  /** Of the page that it opens. */
  readonly link: string
}

export interface PaletteGroup {
  readonly value: string
  readonly items: readonly PaletteItem[]
}

const PAGES: readonly PaletteItem[] = [
  { value: 'page:/', label: 'Dashboard', hint: 'g h', link: '/' },
  { value: 'page:/messages', label: 'Messages', hint: 'g m', link: '/messages' },
  { value: 'page:/deploys', label: 'Deploys', hint: 'g d', link: '/deploys' },
  { value: 'page:/usage', label: 'Usage', hint: '', link: '/usage' },
  { value: 'page:/settings', label: 'Settings', hint: '', link: '/settings' },
]
const PANELS = ['inbox', 'journal', 'config', 'stats']

/** Everything that can be gone to, the most wanted first. */
export function paletteGroups({ agents, approvals }: Pick<HiveState, 'agents' | 'approvals'>): PaletteGroup[] {
  return [
    {
      value: 'Go to',
      items: [
        ...agents.map(({ name, state }) => ({
          value: `agent:${name}`,
          label: `Agent ${name}`,
          hint: state.replace('_', ' '),
          link: `/a/${name}`,
        })),
        ...approvals.map(({ id, agent, state }) => ({
          value: `approval:${id}`,
          label: `Approval #${id} for ${agent}`,
          hint: state,
          link: `/approvals/${id}`,
        })),
        ...PAGES,
      ],
    },
    {
      value: 'Beside an agent',
      items: agents.flatMap(({ name }) =>
        PANELS.map((panel) => ({
          value: `${panel}:${name}`,
          label: `${panel[0]?.toUpperCase()}${panel.slice(1)} of ${name}`,
          hint: '',
          link: `/a/${name}?panel=${panel}`,
        })),
      ),
    },
  ].filter(({ items }) => items.length > 0)
}
