/** Topics of one stream, at most. */
export const MAX_TOPICS = 16
/** A stream says so often at least that it lives. */
export const HEARTBEAT_MS = 10_000

/**
 * How far a client has read each of its topics: `state` by `seq`, `messages` by the cursor of its page, `events:<agent>` by the
 * number of the event.
 */
export type Positions = Readonly<Record<string, number>>

/** Positions as the id of an event: `state=7;events:alice=12`. */
export const positionsText = (positions: Positions): string =>
  Object.entries(positions)
    .map(([topic, position]) => `${topic}=${position}`)
    .join(';')

/** What `Last-Event-ID` says; what it does not say, or says in another way than `positionsText`, is not there. */
export function parsePositions(text: string): Positions {
  const pairs = text.slice(0, MAX_POSITIONS_LENGTH).split(';')
  return Object.fromEntries(
    pairs.flatMap((pair) => {
      const match = /^([a-z][a-z0-9:-]*)=(\d{1,16})$/.exec(pair)
      return match ? [[match[1], Number(match[2])]] : []
    }),
  )
}

const MAX_POSITIONS_LENGTH = 1024

/** One event of a stream. */
export interface Frame {
  readonly event: string
  /** Empty: unchanged. */
  readonly id: string
  readonly data: string
}

/** A frame in the format of server-sent events. */
export const frameText = ({ event, id, data }: Frame): string => `event: ${event}\nid: ${id}\ndata: ${data}\n\n`

/** Cuts the text of a stream, given piece by piece, into frames. Comments are left out. */
export function createFrameReader(): (piece: string) => Frame[] {
  let rest = ''
  return (piece) => {
    const blocks = (rest + piece).split('\n\n')
    rest = blocks.pop() ?? ''
    return blocks.flatMap((block) => {
      const fields = block.split('\n').map((line) => line.split(/: ?(.*)/s, 2) as [string, string?])
      const read = (name: string) => fields.find(([field]) => field === name)?.[1]
      const data = read('data')
      return data === undefined ? [] : [{ event: read('event') ?? 'message', id: read('id') ?? '', data }]
    })
  }
}
