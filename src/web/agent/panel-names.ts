/** What can stand beside the transcript: `?panel=journal`. */
export const PANEL_TITLES = {
  inbox: 'Inbox',
  journal: 'Journal',
  config: 'Config',
  stats: 'Stats',
  terminal: 'Terminal',
  login: 'Login',
} as const
export type PanelName = keyof typeof PANEL_TITLES

/** The panel that an address names, if there is such a one. */
export const panelOf = (params: URLSearchParams): PanelName | undefined => {
  const name = params.get('panel') ?? ''
  return Object.hasOwn(PANEL_TITLES, name) ? (name as PanelName) : undefined
}
