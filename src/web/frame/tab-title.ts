/** The title of a tab: how much waits, and the page, empty for the dashboard: `(3) alice – hyperhive`. */
export const titleOf = (page: string, needs: number): string =>
  `${needs > 0 ? `(${needs}) ` : ''}${page ? `${page} – ` : ''}hyperhive`
