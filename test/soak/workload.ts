import type { Random } from './random.ts'

/** What an agent is told to do, in the words of the `obey` scenario, and whether its message may come to nothing. */
export interface Job {
  readonly body: string
  /** Part of the reason that a dead message of this kind gives. */
  readonly mayDie?: string
}

const FAULTS = [
  'overloaded 2',
  'server_error 1',
  'rate_limited 1',
  'reset 1',
  'drop 1',
  'unauthorized 1',
  'prompt_too_long 1',
]

/** The next piece of work for one of `agents`; peers are written to as well. */
export function nextJob(random: Random, agents: readonly string[], n: number): Job {
  const kinds: (() => Job)[] = [
    () => ({ body: `say word ${n}` }),
    () => ({ body: `say word ${n}` }),
    () => ({ body: `bash sleep 0.${random.below(9)}; echo ${n}` }),
    () => ({ body: `send ${random.one(agents)} say ${n} from a peer` }),
    () => ({ body: `mumble ${100 + random.below(2_000)}` }),
    () => ({ body: `fault ${random.one(FAULTS)}` }),
    // For longer than a turn may be silent; the second attempt is not.
    () => ({ body: `stall 600000` }),
    () => ({ body: 'fault refuse', mayDie: 'refused' }),
    () => ({ body: 'fault prompt_too_long', mayDie: 'prompt_too_long' }),
  ]
  return random.one(kinds)()
}
