import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createNotifier } from '../../kit/notifier.ts'
import { applyDelta, type HiveState, type StateDelta } from '../../wire/hive-state.ts'
import { HiveFeed } from './hive-feed.ts'
import { contentsOf, needOf } from './web-in-test.ts'

/** A feed of what the test says. */
function openFeed() {
  const news = createNotifier()
  const problems: unknown[] = []
  let contents: () => Omit<HiveState, 'seq'> = contentsOf
  const feed = new HiveFeed({
    read: async () => contents(),
    news,
    startedAt: 1,
    onProblem: (error) => problems.push(error),
  })
  return {
    feed,
    problems,
    news,
    say: (next: typeof contents) => {
      contents = next
    },
    [Symbol.dispose]: () => feed[Symbol.dispose](),
  }
}

/** All deltas after a number. */
function deltasAfter(feed: HiveFeed, seq: number): StateDelta[] {
  const delta = feed.after(seq)
  if (delta === 'lost') throw new Error(`what came after ${seq} is lost`)
  return delta ? [delta, ...deltasAfter(feed, delta.seq)] : []
}

describe('the state with a number', () => {
  test('whatever happens: any snapshot and the deltas after it make the newest snapshot', async () => {
    const needs = fc.uniqueArray(fc.tuple(fc.nat(8), fc.nat(2)), { selector: ([n]) => n })
    const states = fc.array(fc.record({ needs, version: fc.constantFrom('1', '2') }), { minLength: 2, maxLength: 12 })
    const property = fc.asyncProperty(states, async (all) => {
      using open = openFeed()
      const snapshots: HiveState[] = []
      for (const { needs, version } of all) {
        const { status } = contentsOf()
        open.say(() =>
          contentsOf({ status: { ...status, version }, needs: needs.map(([n, text]) => needOf(n, `${text}`)) }),
        )
        snapshots.push(await open.feed.snapshot())
      }
      for (const snapshot of snapshots) {
        let state: HiveState | undefined = snapshot
        for (const delta of deltasAfter(open.feed, snapshot.seq)) state = state && applyDelta(state, delta)
        assert.deepEqual(state, snapshots.at(-1))
      }
    })
    await fc.assert(property, { numRuns: 100 })
  })

  test('a delta twice changes nothing, and one too many is noticed', async () => {
    using open = openFeed()
    const first = await open.feed.snapshot()
    for (const n of [1, 2]) {
      open.say(() => contentsOf({ needs: [needOf(n)] }))
      await open.feed.snapshot()
    }
    const [one, two] = deltasAfter(open.feed, first.seq) as [StateDelta, StateDelta]
    const state = applyDelta(first, one) as HiveState
    assert.equal(applyDelta(state, one), state)
    assert.equal(applyDelta(first, two), undefined)
  })

  test('what is unchanged has no new number', async () => {
    using open = openFeed()
    const { seq } = await open.feed.snapshot()
    assert.equal((await open.feed.snapshot()).seq, seq)
    assert.equal(open.feed.after(seq), undefined)
  })

  test('keeps so much, and says what it has no longer', async () => {
    using open = openFeed()
    const { seq } = await open.feed.snapshot()
    const big = 'x'.repeat(1024 * 1024)
    for (const n of [1, 2, 3, 4, 5, 6]) {
      open.say(() => contentsOf({ needs: [needOf(1, `${n}${big}`)] }))
      await open.feed.snapshot()
    }
    assert.equal(open.feed.after(seq), 'lost')
    assert.equal(open.feed.after(open.feed.seq + 1), 'lost')
    assert.equal(deltasAfter(open.feed, open.feed.seq - 3).length, 3)
  })

  test('numbers of a later start are higher', () => {
    using earlier = new HiveFeed({
      read: async () => contentsOf(),
      news: createNotifier(),
      startedAt: 1_000,
      onProblem() {},
    })
    using later = new HiveFeed({
      read: async () => contentsOf(),
      news: createNotifier(),
      startedAt: 1_001,
      onProblem() {},
    })
    assert.equal(later.after(earlier.seq), 'lost')
    assert.equal(earlier.after(later.seq), 'lost')
  })

  test('who watches is told, until it stops; what cannot be read is a problem, and no end', async () => {
    using open = openFeed()
    await open.feed.snapshot()
    const told = () =>
      new Promise<void>((resolve) => {
        const unsubscribe = open.feed.changes.subscribe(() => {
          unsubscribe()
          resolve()
        })
      })
    using watching = open.feed.watch()
    const first = told()
    open.say(() => contentsOf({ needs: [needOf(1)] }))
    open.news.notify()
    await first
    open.say(() => {
      throw new Error('unreadable')
    })
    while (!open.problems.some((problem) => problem instanceof Error)) {
      open.news.notify()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await assert.rejects(open.feed.snapshot(), /unreadable/)
    const second = told()
    // Nobody tells: it looks by itself.
    open.say(() => contentsOf({ needs: [needOf(2)] }))
    await second
    while (open.problems.at(-1) !== undefined) await new Promise((resolve) => setImmediate(resolve))
    watching[Symbol.dispose]()
  })
})
