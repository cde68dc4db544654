import type { Standing } from '../wire/names.ts'

/** What the header of a wake prompt says, and the text between its markers. */
export interface Wake {
  readonly id: number
  readonly from: string
  readonly standing: Standing
  readonly attempt: number
  readonly pending: number
  readonly body: string
}

// The one place that knows how the harness words a wake prompt. The marker is random, so a body cannot end itself.
const WAKE =
  /Message (?<id>\d+) from (?<from>[a-z0-9-]+) \((?<standing>operator|manager|peer|system)\), attempt (?<attempt>\d+), (?<pending>\d+) more waiting\.\n(?:[^\n]+\n)*?<<<(?<marker>[^\n]+)\n(?<body>[\s\S]*?)\n\k<marker>>>>/g

/** The messages that a prompt delivers, in order; none when a person or a test typed it. */
export const parseWake = (text: string): Wake[] =>
  [...text.matchAll(WAKE)].map(({ groups = {} }) => ({
    id: Number(groups.id),
    from: groups.from ?? '',
    standing: groups.standing as Standing,
    attempt: Number(groups.attempt),
    pending: Number(groups.pending),
    body: groups.body ?? '',
  }))
