import { setTimeout as sleep } from 'node:timers/promises'
import { createNotifier, type Notifier } from '../../kit/notifier.ts'
import { type HiveState, STATE_KEYS, STATE_ORDER, type StateChange, type StateDelta } from '../../wire/hive-state.ts'

type Contents = Omit<HiveState, 'seq'>

export interface HiveFeedOptions {
  /** The state as it is now. */
  readonly read: () => Promise<Contents>
  /** Told when something may have changed. */
  readonly news: Pick<Notifier, 'subscribe'>
  /** A state that could not be read while somebody watches; undefined: it could again. */
  readonly onProblem: (error: unknown) => void
  /** Unix milliseconds: the numbers of this start are above those of earlier ones. */
  readonly startedAt: number
}

/** Not every change is told of: states of agents are derived. */
const LOOK_MS = 1_000
/** Changes that follow each other closely are one. */
const GAP_MS = 100
/** So much of the time at most is spent on looking. */
const LOOK_SHARE = 0.1
/** What clients that were away for a short while have missed. */
const KEPT_DELTAS = 2_000
const KEPT_CHARACTERS = 4 * 1024 * 1024

const LISTS = ['agents', 'needs', 'approvals'] as const

/**
 * The state of the hive with a number, and what changed since a number. It looks for changes only while somebody watches,
 * and whenever it is asked for a snapshot.
 */
export class HiveFeed implements Disposable {
  readonly changes: Notifier = createNotifier()
  readonly #options: HiveFeedOptions
  readonly #deltas: { delta: StateDelta; characters: number }[] = []
  readonly #closing = new AbortController()
  #characters = 0
  #state: HiveState | undefined
  /** What each thing of the state was when it was looked at last, as text. */
  #known = new Map<string, string>()
  #seq: number
  #watchers = 0
  #isNews = false
  #isLooking = false
  #looking: Promise<unknown> = Promise.resolve()
  #next: Promise<HiveState> | undefined
  #wake = () => {}

  constructor(options: HiveFeedOptions) {
    this.#options = options
    // Microseconds: more changes than one in each cannot have been.
    this.#seq = options.startedAt * 1000
  }

  /** The state as it is now or was a moment later. */
  snapshot(): Promise<HiveState> {
    // Whoever asks while it is being looked may ask for what came after the look began.
    this.#next ??= this.#looking.then(() => {
      this.#next = undefined
      const look = this.#look()
      // Its error is the answer to who asked; the next look is not its concern.
      this.#looking = look.catch(() => {})
      return look
    })
    return this.#next
  }

  get seq(): number {
    return this.#seq
  }

  /** The first change after a number; undefined when there is none, `lost` when that cannot be told any more. */
  after(seq: number): StateDelta | undefined | 'lost' {
    if (seq === this.#seq) return undefined
    const first = this.#deltas[0]?.delta.after ?? this.#seq
    if (seq > this.#seq || seq < first) return 'lost'
    // Each is one further than the one before.
    return this.#deltas[seq - first]?.delta
  }

  /** Looks for changes until the result is disposed of. */
  watch(): Disposable {
    this.#watchers += 1
    if (!this.#isLooking) void this.#keepLooking()
    let isOver = false
    return {
      [Symbol.dispose]: () => {
        if (isOver) return
        isOver = true
        this.#watchers -= 1
        this.#wake()
      },
    }
  }

  async #keepLooking(): Promise<void> {
    const { signal } = this.#closing
    this.#isLooking = true
    const unsubscribe = this.#options.news.subscribe(() => {
      this.#isNews = true
      this.#wake()
    })
    while (this.#watchers > 0 && !signal.aborted) {
      this.#isNews = false
      const began = performance.now()
      await this.snapshot().then(
        () => this.#options.onProblem(undefined),
        (error: unknown) => this.#options.onProblem(error),
      )
      await sleep(Math.max(GAP_MS, (performance.now() - began) / LOOK_SHARE), undefined, { ref: false })
      if (!this.#isNews) await this.#waitForNews()
    }
    this.#isLooking = false
    unsubscribe()
  }

  #waitForNews(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), LOOK_MS)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = () => {}
        resolve()
      }
      if (this.#watchers === 0) this.#wake()
    })
  }

  async #look(): Promise<HiveState> {
    const contents = await this.#options.read()
    const { changes, known } = compare(this.#known, contents)
    const isFirst = this.#state === undefined
    this.#known = known
    if (changes.length > 0 && !isFirst) this.#keep(changes)
    this.#state = sorted({ seq: this.#seq, ...contents })
    return this.#state
  }

  #keep(changes: StateChange[]): void {
    const delta = { after: this.#seq, seq: this.#seq + 1, changes }
    const characters = JSON.stringify(changes).length
    this.#seq = delta.seq
    this.#deltas.push({ delta, characters })
    this.#characters += characters
    while (this.#deltas.length > KEPT_DELTAS || (this.#characters > KEPT_CHARACTERS && this.#deltas.length > 1)) {
      this.#characters -= this.#deltas.shift()?.characters ?? 0
    }
    this.changes.notify()
  }

  [Symbol.dispose](): void {
    this.#closing.abort()
    this.#wake()
  }
}

const sorted = (state: HiveState): HiveState => ({
  ...state,
  agents: state.agents.toSorted(STATE_ORDER.agents),
  needs: state.needs.toSorted(STATE_ORDER.needs),
  approvals: state.approvals.toSorted(STATE_ORDER.approvals),
})

/** What differs between things as they were known, by their texts, and as they are. */
function compare(
  known: ReadonlyMap<string, string>,
  contents: Contents,
): { changes: StateChange[]; known: Map<string, string> } {
  const things: StateChange[] = [
    { of: 'status', value: contents.status },
    { of: 'errors', value: contents.errors },
    ...LISTS.flatMap((of) => {
      const keyOf = STATE_KEYS[of] as (value: unknown) => string
      return contents[of].map((value) => ({ of, key: keyOf(value), value }) as StateChange)
    }),
  ]
  const now = new Map(things.map((thing) => [placeOf(thing), JSON.stringify(thing.value)]))
  const changed = things.filter((thing) => {
    const place = placeOf(thing)
    return now.get(place) !== known.get(place)
  })
  const gone = [...known.keys()].filter((place) => !now.has(place)).map(removalOf)
  return { changes: [...gone, ...changed], known: now }
}

const placeOf = (change: StateChange): string => ('key' in change ? `${change.of} ${change.key}` : change.of)

const removalOf = (place: string): StateChange => {
  const at = place.indexOf(' ')
  return { of: place.slice(0, at), key: place.slice(at + 1), value: null } as StateChange
}
