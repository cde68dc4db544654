import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'

import { type ErrorCode, HiveError } from '../../wire/errors.ts'
import type { LiveEvent } from '../../wire/events.ts'
import type { Delivery } from '../../wire/things.ts'
import type { TurnEnd, TurnReason, TurnUsage } from '../../wire/turn.ts'
import type { Brain } from '../brain/brain.ts'
import { Conversation } from './conversation.ts'
import { type TurnCommand, TurnLoop, type TurnLoopOptions } from './turn-loop.ts'

const message = (id: number): Delivery => ({
  id,
  from: 'operator',
  standing: 'operator',
  body: `task ${id}`,
  attempt: 1,
  sentAt: 0,
  replyTo: null,
  pending: 0,
})
const end = (reason: TurnReason): TurnEnd => ({ reason, detail: reason })

/** Waits for what no promise tells; a test that waits in vain is ended by its own timeout. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setImmediate()
}

/** Plays the daemon: hands out messages when told to, notes how turns end. */
class FakeLink {
  readonly ends: string[] = []
  readonly #receiving: PromiseWithResolvers<{ messages: Delivery[] }>[] = []
  #closed = Promise.withResolvers<void>()
  /** Holds back the answers to `ack` and `release`. */
  gate: Promise<void> = Promise.resolve()

  async connected() {
    const recv = () => {
      const asked = Promise.withResolvers<{ messages: Delivery[] }>()
      this.#receiving.push(asked)
      return asked.promise
    }
    return { call: { recv }, hello: { epoch: 1 }, closed: this.#closed.promise }
  }

  async insist(op: string, input: { ids: number[]; end: TurnEnd }) {
    await this.gate
    this.ends.push(`${op} ${input.ids.join(' ')}: ${input.end.reason}`)
    return {}
  }

  get isAsked(): boolean {
    return this.#receiving.length > 0
  }

  /** Answers the harness's `recv` once it has called it. */
  async deliver(delivery: Delivery | null): Promise<void> {
    await until(() => this.isAsked)
    this.#receiving.shift()?.resolve({ messages: delivery ? [delivery] : [] })
    await setImmediate()
  }

  async refuse(code: ErrorCode): Promise<void> {
    await until(() => this.isAsked)
    this.#receiving.shift()?.reject(new HiveError(code, 'no'))
  }

  /** The connection broke, with the answers that were on their way. */
  breakOff(): void {
    const closed = this.#closed
    this.#closed = Promise.withResolvers()
    for (const { reject } of this.#receiving.splice(0)) reject(new HiveError('unreachable', 'away'))
    closed.resolve()
  }
}

/** Does what it is asked for when the test says so. */
class FakeBrain implements Brain {
  readonly leftovers = false
  used: TurnUsage | undefined
  readonly state = 'idle'
  /** Everything that it was asked for. */
  readonly asked: string[] = []
  readonly prompts: string[] = []
  interruptions = 0
  readonly #works = new Map<string, PromiseWithResolvers<unknown>>()

  #begin<T>(what: string): Promise<T> {
    const work = Promise.withResolvers<unknown>()
    this.asked.push(what)
    this.#works.set(what, work)
    return work.promise as Promise<T>
  }

  #end(what: string, result: unknown): void {
    this.#works.get(what)?.resolve(result)
    this.#works.delete(what)
  }

  /** Ends what it is asked for, once it is. */
  async answer(what: string, result?: unknown): Promise<void> {
    await until(() => this.#works.has(what))
    this.#end(what, result)
    await setImmediate()
  }

  async isAskedFor(what: string): Promise<void> {
    await until(() => this.#works.has(what))
  }

  turn(prompt: string): Promise<TurnEnd> {
    this.prompts.push(prompt)
    const [, id] = /task (\d+)/.exec(prompt) ?? []
    if (id === undefined) return this.#begin('checkpoint')
    return this.#begin(prompt.startsWith('Your session was begun afresh') ? `afresh ${id}` : `turn ${id}`)
  }
  compact(): Promise<{ ok: boolean; detail: string }> {
    return this.#begin('compact')
  }
  newSession(): Promise<void> {
    return this.#begin('new session')
  }
  async interrupt(): Promise<void> {
    this.interruptions += 1
    for (const what of [...this.#works.keys()].filter((known) => known !== 'new session')) {
      this.#end(what, what === 'compact' ? { ok: false, detail: 'interrupted' } : end('interrupted'))
    }
  }
  async check() {
    return { claude: 'ok', detail: '', mcp: {} } as const
  }
  async setModel(): Promise<void> {}
  async configure(): Promise<void> {}
  async rest(): Promise<void> {}
  async close(): Promise<void> {}
}

function openLoop({ checkpointAt = 0 } = {}) {
  const link = new FakeLink()
  const brain = new FakeBrain()
  const events: LiveEvent[] = []
  const emit = (event: LiveEvent) => events.push(event)
  const notes = { head: async () => 'Your own notes: buy milk', complaint: async () => undefined }
  const conversation = new Conversation({ brain, notes, emit, checkpointAt })
  const loop = new TurnLoop({ link: link as unknown as TurnLoopOptions['link'], brain, conversation, emit, pauseMs: 1 })
  const running = loop.run()
  const bench = {
    link,
    brain,
    events,
    loop,
    conversation,
    running,
    ends: link.ends,
    /** What the operator commands, carried out in the background. */
    obey: (command: TurnCommand) => void loop.obey(command),
    async ended(count: number) {
      await until(() => link.ends.length >= count)
    },
  }
  return bench
}
const timed = (name: string, work: () => Promise<void>) => test(name, { timeout: 20_000 }, work)

describe('a turn', () => {
  timed('that ends well is acked with what joined it, another is released', async () => {
    const { link, brain, loop, ends, ended, events } = openLoop()
    await link.deliver(message(1))
    loop.join(message(2))
    await brain.answer('turn 1', end('ok'))
    await link.deliver(message(3))
    await brain.answer('turn 3', end('crash'))
    await ended(2)
    assert.deepEqual(ends, ['ack 1 2: ok', 'release 3: crash'])
    await until(() => events.length === 4)
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['turn_start', 'turn_end', 'turn_start', 'turn_end'],
    )
  })

  timed('begins when the daemon answers again after it refused for a while', async () => {
    const { link, brain, ends, ended } = openLoop()
    await link.refuse('disk_full')
    await link.refuse('internal')
    await link.deliver(message(1))
    await brain.answer('turn 1', end('ok'))
    await ended(1)
    assert.deepEqual(ends, ['ack 1: ok'])
  })

  timed('is none when a newer harness has taken over', async () => {
    const { link, running } = openLoop()
    await link.refuse('stale_lease')
    await assert.rejects(running, { code: 'stale_lease' })
  })
})

describe('after the daemon was away', () => {
  timed('a message whose delivery was lost is worked on', async () => {
    const { link, brain, loop, ends, ended } = openLoop()
    await until(() => link.isAsked)
    loop.onHello([message(1)])
    link.breakOff()
    await brain.answer('turn 1', end('ok'))
    await ended(1)
    assert.deepEqual(ends, ['ack 1: ok'])
  })

  timed('a message that waits for a compaction is worked on once', async () => {
    const { link, brain, loop, obey, ends, ended } = openLoop()
    obey({ do: 'compact' })
    await brain.isAskedFor('compact')
    await link.deliver(message(1))
    loop.onHello([message(1)])
    await brain.answer('compact', { ok: true, detail: '' })
    await brain.answer('turn 1', end('ok'))
    await ended(1)
    await until(() => link.isAsked)
    assert.deepEqual(brain.asked, ['compact', 'turn 1'])
    assert.deepEqual(ends, ['ack 1: ok'])
  })

  timed('a message that the turn never saw is left to the daemon, which took it back with the ack', async () => {
    const { link, brain, loop, ends, ended } = openLoop()
    await link.deliver(message(1))
    await brain.isAskedFor('turn 1')
    // A recv within the turn leased it; the answer was lost.
    loop.onHello([message(1), message(2)])
    await brain.answer('turn 1', end('ok'))
    await ended(1)
    await until(() => link.isAsked)
    assert.deepEqual(brain.asked, ['turn 1'])
    assert.deepEqual(ends, ['ack 1: ok'])
  })

  timed('a hello while the turn is being acked brings nothing back', async () => {
    const { link, brain, loop, ends, ended } = openLoop()
    const gate = Promise.withResolvers<void>()
    link.gate = gate.promise
    await link.deliver(message(1))
    await brain.answer('turn 1', end('ok'))
    loop.onHello([message(1)])
    gate.resolve()
    await ended(1)
    await until(() => link.isAsked)
    assert.deepEqual(brain.asked, ['turn 1'])
    assert.deepEqual(ends, ['ack 1: ok'])
  })
})

describe('work between turns', () => {
  timed('waits for the turn before it, and the next turn for the work, however it goes', async () => {
    const { link, brain, loop, obey, ends, ended } = openLoop()
    await link.deliver(message(1))
    await brain.isAskedFor('turn 1')
    const failing = assert.rejects(loop.obey({ do: 'new_session' }), /no/)
    obey({ do: 'compact' })
    await brain.answer('turn 1', end('ok'))
    await link.deliver(message(2))
    await brain.isAskedFor('new session')
    await brain.answer('new session', Promise.reject(new Error('no')))
    await failing
    await brain.answer('compact', { ok: true, detail: '' })
    await brain.answer('turn 2', end('ok'))
    await ended(2)
    assert.deepEqual(brain.asked, ['turn 1', 'new session', 'compact', 'turn 2'])
    assert.deepEqual(ends, ['ack 1: ok', 'ack 2: ok'])
  })
})

describe('a prompt that does not fit', () => {
  const tooLong = end('prompt_too_long')

  timed('is tried again after a compaction', async () => {
    const { link, brain, ends, ended } = openLoop()
    await link.deliver(message(1))
    await brain.answer('turn 1', tooLong)
    await brain.answer('compact', { ok: true, detail: '' })
    await brain.answer('turn 1', end('ok'))
    await ended(1)
    assert.deepEqual(brain.asked, ['turn 1', 'compact', 'turn 1'])
    assert.deepEqual(ends, ['ack 1: ok'])
  })

  for (const isCompacted of [true, false]) {
    timed(`is tried again in a fresh session when ${isCompacted ? 'that' : 'no compaction'} helps`, async () => {
      const { link, brain, ends, ended } = openLoop()
      await link.deliver(message(1))
      await brain.answer('turn 1', tooLong)
      await brain.answer('compact', { ok: isCompacted, detail: '' })
      if (isCompacted) await brain.answer('turn 1', tooLong)
      await brain.answer('new session')
      await brain.answer('afresh 1', end('ok'))
      await ended(1)
      assert.deepEqual(ends, ['ack 1: ok'])
    })
  }

  timed('is given up when it does not fit into a fresh session', async () => {
    const { link, brain, ends, ended } = openLoop()
    await link.deliver(message(1))
    await brain.answer('turn 1', tooLong)
    await brain.answer('compact', { ok: false, detail: '' })
    await brain.answer('new session')
    await brain.answer('afresh 1', tooLong)
    await ended(1)
    assert.deepEqual(ends, ['release 1: prompt_too_long'])
  })

  const interruptions = [
    [{ do: 'cancel', messages: [1] }, 'ack 1: interrupted'],
    [{ do: 'stop', graceMs: 0 }, 'release 1: interrupted'],
    [{ do: 'interrupt', messages: [1], why: 'budget' }, 'release 1: interrupted'],
  ] as const satisfies [TurnCommand, string][]
  for (const [command, expected] of interruptions) {
    timed(`keeps its session when a ${command.do} ends the compaction`, async () => {
      const { link, brain, loop, ends, ended } = openLoop()
      await link.deliver(message(1))
      await brain.answer('turn 1', tooLong)
      await brain.isAskedFor('compact')
      await loop.obey(command)
      await ended(1)
      assert.deepEqual(brain.asked, ['turn 1', 'compact'])
      assert.deepEqual(ends, [expected])
    })

    timed(`is not tried again when a ${command.do} came while the session was begun afresh`, async () => {
      const { link, brain, obey, ends, ended } = openLoop()
      await link.deliver(message(1))
      await brain.answer('turn 1', tooLong)
      await brain.answer('compact', { ok: false, detail: '' })
      await brain.isAskedFor('new session')
      obey(command)
      await until(() => brain.interruptions > 0)
      await brain.answer('new session')
      await ended(1)
      assert.deepEqual(brain.asked, ['turn 1', 'compact', 'new session'])
      assert.deepEqual(ends, [expected])
    })
  }
})

describe('a conversation that fills its window', () => {
  const filled = (share: number, costUsd = 1): TurnEnd => ({
    ...end('ok'),
    usage: {
      model: 'haiku',
      inputTokens: 1,
      outputTokens: 1,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      costUsd,
      durationMs: 1,
      contextTokens: 1000 * share,
      contextWindow: 1000,
    },
  })
  /** A loop whose first turn crossed the limit, with the next message delivered. */
  const openFull = async () => {
    const bench = openLoop({ checkpointAt: 0.75 })
    await bench.link.deliver(message(1))
    await bench.brain.answer('turn 1', filled(0.8))
    await bench.ended(1)
    await until(() => bench.link.isAsked)
    assert.deepEqual(bench.brain.asked, ['turn 1'], 'nobody wrote, so nothing is asked')
    await bench.link.deliver(message(2))
    await bench.brain.isAskedFor('checkpoint')
    return bench
  }
  /** Takes a turn without anything else. */
  const plainTurn = async ({ link, brain, ends }: ReturnType<typeof openLoop>, id: number, share: number) => {
    const asked = brain.asked.length
    await link.deliver(message(id))
    await brain.answer(`turn ${id}`, filled(share))
    await until(() => ends.at(-1) === `ack ${id}: ok`)
    assert.deepEqual(brain.asked.slice(asked), [`turn ${id}`])
  }

  timed('is written down and compacted once before the next message, and again when it has grown again', async () => {
    const bench = await openFull()
    const { link, brain, ends, ended, events } = bench
    await brain.answer('checkpoint', filled(0.81, 0.25))
    await brain.answer('compact', { ok: true, detail: '' })
    await brain.answer('turn 2', filled(0.8))
    await ended(2)
    await plainTurn(bench, 3, 0.9)
    await plainTurn(bench, 4, 0.1)
    await plainTurn(bench, 5, 0.75)
    await link.deliver(message(6))
    await brain.isAskedFor('checkpoint')
    assert.deepEqual(ends.slice(0, 2), ['ack 1: ok', 'ack 2: ok'])
    const told = events.flatMap((event) => (event.kind === 'turn_end' ? [event.end.usage?.costUsd] : []))
    assert.equal(told[1], 1.25, 'what the checkpoint used belongs to the turn')
  })

  timed('is asked nothing beside its messages below the limit', async () => {
    const bench = openLoop({ checkpointAt: 0.75 })
    for (const id of [1, 2, 3]) await plainTurn(bench, id, 0.74)
  })

  timed('goes on as it is when its notes could not be written', async () => {
    const bench = await openFull()
    await bench.brain.answer('checkpoint', end('refused'))
    await bench.brain.answer('turn 2', filled(0.9))
    await bench.ended(2)
    assert.deepEqual(bench.brain.asked, ['turn 1', 'checkpoint', 'turn 2'])
    await plainTurn(bench, 3, 0.9)
  })

  timed(
    'begins afresh with its notes when it cannot be compacted, and not a second time for the same message',
    async () => {
      const { brain, ends, ended } = await openFull()
      await brain.answer('checkpoint', end('ok'))
      await brain.answer('compact', { ok: false, detail: '429' })
      await brain.answer('new session')
      await brain.answer('afresh 2', end('prompt_too_long'))
      await ended(2)
      assert.deepEqual(brain.asked, ['turn 1', 'checkpoint', 'compact', 'new session', 'afresh 2'])
      assert.equal(ends[1], 'release 2: prompt_too_long')
      assert.match(brain.prompts.at(-1) ?? '', /^Your session was begun afresh.*buy milk.*task 2/s)
    },
  )

  timed('tells a fresh session its notes until a turn has ended well', async () => {
    const { link, brain, ended } = await openFull()
    await brain.answer('checkpoint', end('ok'))
    await brain.answer('compact', { ok: false, detail: '429' })
    await brain.answer('new session')
    await brain.answer('afresh 2', end('overloaded'))
    await ended(2)
    await link.deliver(message(2))
    await brain.answer('afresh 2', end('ok'))
    await ended(3)
    await link.deliver(message(3))
    await brain.isAskedFor('turn 3')
  })

  for (const reason of ['overloaded', 'network', 'auth', 'quota', 'billing'] as const) {
    timed(`waits with its message while the API is not to be had (${reason})`, async () => {
      const { link, brain, ends, ended } = await openFull()
      await brain.answer('checkpoint', end(reason))
      await ended(2)
      assert.deepEqual(brain.asked, ['turn 1', 'checkpoint'])
      assert.equal(ends[1], `release 2: ${reason}`)
      await link.deliver(message(2))
      await brain.isAskedFor('checkpoint')
    })
  }

  const interruptions = [
    [{ do: 'cancel', messages: [2] }, 'ack 2: interrupted'],
    [{ do: 'stop', graceMs: 0 }, 'release 2: interrupted'],
    [{ do: 'interrupt', messages: [2], why: 'budget' }, 'release 2: interrupted'],
  ] as const satisfies [TurnCommand, string][]
  for (const [command, expected] of interruptions) {
    for (const step of ['checkpoint', 'compact']) {
      timed(`ends when a ${command.do} comes during the ${step}`, async () => {
        const { brain, loop, ends, ended } = await openFull()
        if (step === 'compact') {
          await brain.answer('checkpoint', end('ok'))
          await brain.isAskedFor('compact')
        }
        await loop.obey(command)
        await ended(2)
        assert.equal(brain.asked.at(-1), step)
        assert.equal(ends[1], expected)
      })
    }
  }
})

describe('an interrupt', () => {
  timed('gives the messages of a turn back and says why, and leaves the next turn alone', async () => {
    const { link, brain, loop, ends, ended, events } = openLoop()
    await link.deliver(message(1))
    await brain.isAskedFor('turn 1')
    loop.join(message(2))
    await loop.obey({ do: 'interrupt', messages: [1, 2], why: 'budget: used up' })
    await ended(1)
    await link.deliver(message(1))
    await brain.answer('turn 1', end('ok'))
    await ended(2)
    assert.deepEqual(ends, ['release 1 2: interrupted', 'ack 1: ok'])
    const details = events.flatMap((event) => (event.kind === 'turn_end' ? [event.end.detail] : []))
    assert.deepEqual(details, ['budget: used up', 'ok'])
  })

  timed('that comes too late changes nothing', async () => {
    const { link, brain, loop, ends, ended } = openLoop()
    await link.deliver(message(1))
    await brain.answer('turn 1', end('ok'))
    await ended(1)
    await loop.obey({ do: 'interrupt', messages: [1], why: 'budget' })
    await link.deliver(message(2))
    await brain.answer('turn 2', end('ok'))
    await ended(2)
    assert.deepEqual(ends, ['ack 1: ok', 'ack 2: ok'])
  })
})

describe('what a turn used', () => {
  const usage = (costUsd: number): TurnUsage => ({
    model: 'haiku',
    inputTokens: 1,
    outputTokens: 2,
    cacheReadTokens: 3,
    cacheWriteTokens: 4,
    costUsd,
    durationMs: 5,
    contextTokens: 100 * costUsd,
    contextWindow: 1000,
  })

  timed('is what all of its tries used, and nothing of the turn before', async () => {
    const { link, brain, conversation, events, ended } = openLoop()
    await link.deliver(message(1))
    await brain.answer('turn 1', { ...end('prompt_too_long'), usage: usage(2) })
    brain.used = usage(0.5)
    assert.equal(conversation.used?.costUsd, 2.5)
    brain.used = undefined
    await brain.answer('compact', { ok: true, detail: '' })
    await brain.answer('turn 1', { ...end('ok'), usage: usage(1) })
    await ended(1)
    await link.deliver(message(2))
    await brain.answer('turn 2', { ...end('ok'), usage: usage(4) })
    await ended(2)
    await until(() => events.at(-1)?.kind === 'turn_end' && events.length >= 5)
    const told = events.flatMap((event) => (event.kind === 'turn_end' ? [event.end.usage] : []))
    assert.deepEqual(
      told.map((one) => [one?.costUsd, one?.inputTokens, one?.contextTokens]),
      [
        [3, 2, 100],
        [4, 1, 400],
      ],
    )
    assert.equal(conversation.used, undefined)
  })
})

describe('a cancel', () => {
  timed('ends the turn in progress, and only that', async () => {
    const { link, brain, loop, ends, ended } = openLoop()
    await link.deliver(message(1))
    await brain.isAskedFor('turn 1')
    await loop.obey({ do: 'cancel', messages: [1] })
    await link.deliver(message(2))
    await brain.answer('turn 2', end('ok'))
    await ended(2)
    assert.deepEqual(ends, ['ack 1: interrupted', 'ack 2: ok'])
  })

  timed('ends a turn that waits for the work before it', async () => {
    const { link, brain, loop, obey, ends, ended } = openLoop()
    obey({ do: 'new_session' })
    await brain.isAskedFor('new session')
    await link.deliver(message(1))
    await loop.obey({ do: 'cancel', messages: [1] })
    await brain.answer('new session')
    await ended(1)
    assert.deepEqual(brain.asked, ['new session'])
    assert.deepEqual(ends, ['ack 1: interrupted'])
  })

  timed('ends the turn of a message that is still on its way', async () => {
    const { link, brain, loop, ends, ended } = openLoop()
    await loop.obey({ do: 'cancel', messages: [1] })
    await link.deliver(message(1))
    await link.deliver(message(2))
    await brain.answer('turn 2', end('ok'))
    await ended(2)
    assert.deepEqual(ends, ['ack 1: interrupted', 'ack 2: ok'])
  })

  timed('leaves alone what joined the turn after it, and the turn after that', async () => {
    const { link, brain, loop, ends, ended } = openLoop()
    await link.deliver(message(1))
    await brain.isAskedFor('turn 1')
    loop.join(message(2))
    await loop.obey({ do: 'cancel', messages: [1] })
    await ended(1)
    await link.deliver(message(2))
    await brain.isAskedFor('turn 2')
    await loop.obey({ do: 'cancel', messages: [1] })
    await loop.obey({ do: 'cancel', messages: [] })
    await brain.answer('turn 2', end('ok'))
    await ended(2)
    assert.deepEqual(ends, ['ack 1: interrupted', 'ack 2: ok'])
  })

  timed('without a turn ends the work between turns', async () => {
    const { brain, loop, events } = openLoop()
    const compacting = loop.obey({ do: 'compact' })
    await brain.isAskedFor('compact')
    await loop.obey({ do: 'cancel', messages: [] })
    await compacting
    assert.deepEqual(events, [{ kind: 'note', level: 'error', text: 'compacting failed: interrupted' }])
  })
})

describe('a stop', () => {
  timed('lets the turn in progress end, and takes no other', async () => {
    const { link, brain, loop, running, ends } = openLoop()
    await link.deliver(message(1))
    await brain.isAskedFor('turn 1')
    const stopping = loop.obey({ do: 'stop', graceMs: 60_000 })
    await brain.answer('turn 1', end('ok'))
    await Promise.all([stopping, running])
    assert.deepEqual(ends, ['ack 1: ok'])
  })

  timed('gives back a turn that does not end in time', async () => {
    const { link, brain, loop, running, ends } = openLoop()
    await link.deliver(message(1))
    await brain.isAskedFor('turn 1')
    await Promise.all([loop.obey({ do: 'stop', graceMs: 1 }), running])
    assert.deepEqual(ends, ['release 1: interrupted'])
  })

  timed('gives back a message that waited for the work before it', async () => {
    const { link, brain, loop, obey, running, ends } = openLoop()
    obey({ do: 'compact' })
    await brain.isAskedFor('compact')
    await link.deliver(message(1))
    const stopping = loop.obey({ do: 'stop', graceMs: 60_000 })
    await brain.answer('compact', { ok: true, detail: '' })
    await Promise.all([stopping, running])
    assert.deepEqual(brain.asked, ['compact'])
    assert.deepEqual(ends, ['release 1: interrupted'])
  })
})
