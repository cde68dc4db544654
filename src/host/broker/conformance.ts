import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Message } from '../../wire/things.ts'
import type { TurnEnd, TurnReason } from '../../wire/turn.ts'
import type { Store } from './store.ts'
import { type ModelMessage, StoreModel } from './store-model.ts'

const AGENTS = ['alice', 'bob'] as const
const SENDERS = ['operator', 'alice', 'carol'] as const
const REASONS: readonly TurnReason[] = ['ok', 'interrupted', 'crash', 'overloaded', 'refused', 'error']

/** Turns end at one time and are retried at a much later one: backoff is not the matter here. */
const ENDED_AT = 1e12
const RETRIED_AT = 1e13

interface Real {
  store: Store
}

/** The suite that every store passes. `open` gives an empty one with `inboxCap` 1000 and `maxHops` 16. */
export function testStore(name: string, open: () => Promise<Store>): void {
  describe(`${name} as a store`, () => {
    test('does what the model does, whatever the order', { timeout: 120_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(fc.commands(allCommands(), { maxCommands: 120, size: 'max' }), async (commands) => {
          await using store = await open()
          await fc.asyncModelRun(() => ({ model: new StoreModel(), real: { store } }), commands)
        }),
        { numRuns: 200 },
      )
    })

    test('gives the first id again for the same key, also when asked twice at once', async () => {
      await using store = await open()
      const message = { from: 'carol', to: ['alice', 'bob'], body: 'x', key: 'k' }
      const [first, second] = await Promise.all([store.send(message), store.send({ ...message, body: 'other' })])
      assert.deepEqual(second.ids, first.ids)
      assert.equal((await store.list({ limit: 10 })).messages.length, 2)
      assert.notDeepEqual((await store.send({ ...message, from: 'bob' })).ids, first.ids)
    })

    test('refuses what comes over the cap of an inbox, but for what the operator writes or gets', async () => {
      await using store = await open()
      const send = (from: string, to: string) => store.send({ from, to: [to], body: 'x' })
      await Promise.all(Array.from({ length: 1_000 }, () => send('carol', 'alice')))
      await assert.rejects(send('carol', 'alice'), { code: 'inbox_full' })
      await send('operator', 'alice')
      await Promise.all(Array.from({ length: 1_001 }, () => send('carol', 'operator')))
      assert.equal((await store.count()).done, 1_001)
    })

    test('knows what was stored under a key', async () => {
      await using store = await open()
      const { ids } = await store.send({ from: 'carol', to: ['alice', 'bob'], body: 'x', key: 'k' })
      assert.deepEqual(await store.sentBefore('carol', 'k'), ids)
      assert.deepEqual(await store.sentBefore('bob', 'k'), [])
    })

    test('keeps the good ones of many writes asked for at once, whatever befalls one of them', async () => {
      await using store = await open()
      const { epoch } = await store.beginEpoch('alice', { charge: false, reason: '' })
      const send = (body: unknown) => store.send({ from: 'carol', to: ['alice'], body: body as string })
      const writes = [
        send('first'),
        store.lease('alice', { epoch, joins: false, now: RETRIED_AT }),
        send({ no: 'text' }),
        store.lease('alice', { epoch: epoch + 1, joins: true, now: RETRIED_AT }),
        send('second'),
        store.lease('alice', { epoch, joins: true, now: RETRIED_AT }),
      ]
      const [, woke, broken, stale, , joined] = await Promise.allSettled(writes)
      assert.equal(
        woke?.status === 'fulfilled' && 'deliveries' in woke.value && woke.value.deliveries[0]?.body,
        'first',
      )
      assert.equal(broken?.status, 'rejected')
      assert.equal(stale?.status === 'rejected' && stale.reason.code, 'stale_lease')
      assert.equal(
        joined?.status === 'fulfilled' && 'deliveries' in joined.value && joined.value.deliveries[0]?.body,
        'second',
      )
      const { messages } = await store.list({ limit: 10 })
      assert.deepEqual(
        messages.map(({ body, state, attempt }) => [body, state, attempt]),
        [
          ['first', 'leased', 1],
          ['second', 'leased', 1],
        ],
      )
      assert.deepEqual([store.queued('alice'), store.heldIds('alice').length], [0, 2])
    })

    test('lets news of a death belong to the chain that it is about', async () => {
      await using store = await open()
      const { epoch } = await store.beginEpoch('alice', { charge: false, reason: '' })
      const root = (await store.send({ from: 'operator', to: ['alice'], body: 'go' })).ids[0] as number
      await store.lease('alice', { epoch, joins: false, now: RETRIED_AT })
      await store.send({ from: 'alice', to: ['bob'], body: 'poison' })
      const bob = await store.beginEpoch('bob', { charge: false, reason: '' })
      const [delivery] = (await store.lease('bob', { epoch: bob.epoch, joins: false, now: RETRIED_AT })).deliveries
      const turn = { epoch: bob.epoch, ids: [delivery?.id as number], accepted: false, now: 0, random: 0 }
      const { notified } = await store.endTurn('bob', { ...turn, end: { reason: 'refused', detail: 'no' } })
      assert.deepEqual(notified, ['alice', 'manager'])
      const news = (await store.list({ limit: 10 })).messages.filter(({ from }) => from === 'system')
      assert.deepEqual(
        news.map(({ rootId, hops }) => [rootId, hops]),
        [
          [root, 1],
          [root, 1],
        ],
      )
      assert.match(news[0]?.body ?? '', /"reason":"refused: no"/)
    })

    describe('parking', () => {
      const FREES_AT = Date.now() + 3_600_000
      const openParked = async () => {
        const store = await open()
        const { epoch } = await store.beginEpoch('alice', { charge: false, reason: '' })
        await store.send({ from: 'operator', to: ['alice'], body: 'go' })
        /** Takes a turn that ends so. Gives what the manager was told, and was to be woken for. */
        const turn = async (end: TurnEnd, agent = 'alice') => {
          const before = (await newsIn(store)).length
          if (store.parked(agent)) await store.unpark(agent)
          const [delivery] = (await store.lease(agent, { epoch, joins: false, now: RETRIED_AT })).deliveries
          const ids = [delivery?.id as number]
          const accepted = end.reason === 'ok'
          const { notified } = await store.endTurn(agent, { epoch, ids, end, accepted, now: ENDED_AT, random: 0 })
          const news = (await newsIn(store)).slice(before)
          assert.deepEqual(
            notified,
            news.map(() => 'manager'),
          )
          return news
        }
        return { store, turn, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
      }
      const newsIn = async (store: Store) =>
        (await store.list({ limit: 50 })).messages.filter(({ to, from }) => to === 'manager' && from === 'system')
      const quota = (resetsAt?: number): TurnEnd => ({ reason: 'quota', detail: '', resetsAt })

      test('is told to the manager, with the chain that it came of', async () => {
        await using bench = await openParked()
        const [news] = await bench.turn(quota(FREES_AT))
        const until = bench.store.parked('alice')?.until
        assert.ok(until !== undefined && until >= FREES_AT)
        assert.deepEqual(JSON.parse(news?.body ?? ''), {
          event: 'agent_parked',
          agent: 'alice',
          reason: 'quota',
          until,
        })
        assert.equal(news?.rootId, 1)
      })

      test('is told once, until it is about another time, or a turn has ended well', async () => {
        await using bench = await openParked()
        const { store, turn } = bench
        const isTold = async (end: TurnEnd) => (await turn(end)).length === 1
        assert.equal(await isTold(quota(FREES_AT)), true)
        assert.equal(await isTold(quota(FREES_AT)), false)
        assert.equal(await isTold(quota()), false)
        assert.equal(await isTold(quota(FREES_AT + 1_000)), false)
        assert.equal(await isTold(quota(FREES_AT + 3_600_000)), true)
        assert.equal(await isTold({ reason: 'billing', detail: '' }), true)
        assert.equal(await isTold({ reason: 'billing', detail: '' }), false)
        assert.equal(await isTold({ reason: 'ok', detail: '' }), false)
        await store.send({ from: 'operator', to: ['alice'], body: 'go' })
        assert.equal(await isTold({ reason: 'billing', detail: '' }), true)
      })

      test('is told also when no turn came of it, and not for an inbox that is parked already', async () => {
        await using store = await open()
        await store.beginEpoch('alice', { charge: false, reason: '' })
        const budget = { reason: 'budget', detail: 'all used', until: FREES_AT } as const
        assert.deepEqual((await store.park('alice', budget)).notified, ['manager'])
        assert.deepEqual((await store.park('alice', { reason: 'billing', detail: '' })).notified, [])
        assert.equal(store.parked('alice')?.reason, 'budget')
        assert.equal((await newsIn(store)).length, 1)
      })

      test('of the manager, and for a login, is not told', async () => {
        await using bench = await openParked()
        const { store, turn } = bench
        await turn({ reason: 'auth', detail: '' })
        await turn({ reason: 'auth', detail: '' })
        assert.equal(store.parked('alice')?.reason, 'login')
        await store.beginEpoch('manager', { charge: false, reason: '' })
        await store.send({ from: 'operator', to: ['manager'], body: 'go' })
        await turn(quota(FREES_AT), 'manager')
        assert.equal(store.parked('manager')?.reason, 'quota')
        assert.deepEqual(await newsIn(store), [])
      })
    })

    test('buries an inbox: each sender hears of it once, its parking is forgotten', async () => {
      await using store = await open()
      const { epoch } = await store.beginEpoch('alice', { charge: false, reason: '' })
      for (let n = 0; n < 3; n += 1) await store.send({ from: 'carol', to: ['alice'], body: `from carol ${n}` })
      await store.send({ from: 'operator', to: ['alice'], body: 'from the operator' })
      const [delivery] = (await store.lease('alice', { epoch, joins: false, now: RETRIED_AT })).deliveries
      const end = { reason: 'quota', detail: '', resetsAt: Date.now() + 3_600_000 } as const
      const turn = { epoch, ids: [delivery?.id as number], end, accepted: false, now: 0, random: 0 }
      await store.endTurn('alice', turn)
      assert.notEqual(store.parked('alice'), null)
      const { notified } = await store.bury('alice', 'purged')
      assert.deepEqual([...notified].sort(), ['carol', 'manager'])
      assert.deepEqual([store.queued('alice'), store.parked('alice')], [0, null])
      assert.equal((await store.count()).dead, 4)
      assert.equal(await store.countDeadLetters(), 4)
      const told = (await store.list({ limit: 20 })).messages.filter(({ to }) => to === 'carol')
      assert.deepEqual(
        told.map(({ body }) => JSON.parse(body).more),
        [2],
      )
    })

    test('lets the operator be told of a chain that is paused, and nobody else', async () => {
      await using store = await open()
      const { epoch } = await store.beginEpoch('alice', { charge: false, reason: '' })
      const root = (await store.send({ from: 'operator', to: ['alice'], body: 'go' })).ids[0] as number
      await store.lease('alice', { epoch, joins: false, now: RETRIED_AT })
      await store.pauseChain(root, 'too much', ['alice', 'bob', 'operator'])
      const [chain] = await store.pausedChains()
      assert.deepEqual([chain?.rootId, chain?.reason, chain?.agents], [root, 'too much', ['alice', 'bob']])
      assert.ok((await store.send({ from: 'alice', to: ['bob'], body: 'x' })).refused)
      assert.equal((await store.send({ from: 'alice', to: ['operator'], body: 'x' })).refused, undefined)
    })

    test('gives pages that are bounded, however long the bodies', async () => {
      await using store = await open()
      const body = 'x'.repeat(64 * 1024)
      const { cursor } = await store.list({ limit: 1 })
      await Promise.all(Array.from({ length: 200 }, () => store.send({ from: 'carol', to: ['alice'], body })))
      const page = await store.list({ limit: 1_000 })
      assert.ok(page.messages.length < 50, `${page.messages.length} of 64 KiB in a page`)
      let [seen, at] = [0, cursor]
      for (;;) {
        const changes = await store.changes(at, { limit: 1_000 })
        if (changes.messages.length === 0) break
        assert.ok(changes.messages.length < 50)
        seen += changes.messages.length
        at = changes.cursor
      }
      assert.equal(seen, 200)
      assert.equal((await store.waiting('alice', 100)).length, 100)
      assert.equal((await store.waiting('alice', 1))[0]?.body.length, 1_000)
    })

    test('deletes what was done or dropped long ago, and nothing else', async () => {
      await using store = await open()
      const { epoch } = await store.beginEpoch('alice', { charge: false, reason: '' })
      const ids: number[] = []
      for (const from of ['carol', 'carol', 'carol', 'carol']) {
        ids.push(...(await store.send({ from, to: ['alice'], body: 'x' })).ids)
      }
      for (const reason of ['ok', 'refused', 'refused'] as const) {
        const [delivery] = (await store.lease('alice', { epoch, joins: false, now: RETRIED_AT })).deliveries
        const turn = { epoch, ids: [delivery?.id as number], accepted: reason === 'ok', now: 0, random: 0 }
        await store.endTurn('alice', { ...turn, end: { reason, detail: '' } })
      }
      await store.drop(ids[1] as number)
      assert.equal(await store.vacuum(Date.now() + 1, 100), 2)
      assert.equal(await store.get(ids[0] as number), undefined)
      assert.equal(await store.get(ids[1] as number), undefined)
      assert.equal((await store.get(ids[2] as number))?.state, 'dead')
      assert.equal((await store.get(ids[3] as number))?.state, 'queued')
    })

    test('pauses a chain at its seventeenth hop, tells the manager once, and lets it go on', async () => {
      await using store = await open()
      const { epoch } = await store.beginEpoch('alice', { charge: false, reason: '' })
      const root = (await store.send({ from: 'operator', to: ['alice'], body: 'go' })).ids[0] as number
      const hop = async () => {
        const [delivery] = (await store.lease('alice', { epoch, joins: false, now: RETRIED_AT })).deliveries
        const sent = await store.send({ from: 'alice', to: ['alice'], body: 'on' })
        const end = { reason: 'ok', detail: '' } as const
        await store.endTurn('alice', { epoch, ids: [delivery?.id as number], end, accepted: true, now: 0, random: 0 })
        return sent
      }
      for (let n = 0; n < 16; n += 1) assert.equal((await hop()).refused, undefined)
      const refused = await hop()
      assert.equal(refused.refused?.rootId, root)
      assert.deepEqual(refused.refused?.notified, ['manager'])
      assert.deepEqual(
        (await store.pausedChains()).map(({ rootId, hops }) => [rootId, hops]),
        [[root, 16]],
      )
      await store.allowChain(root, 16)
      assert.deepEqual(await store.pausedChains(), [])
      await assert.rejects(store.allowChain(999_999, 16), { code: 'not_found' })
    })

    test('fences what is old: another epoch, another turn', async () => {
      await using store = await open()
      await store.send({ from: 'carol', to: ['alice'], body: 'x' })
      const { epoch } = await store.beginEpoch('alice', { charge: false, reason: '' })
      const [delivery] = (await store.lease('alice', { epoch, joins: false, now: RETRIED_AT })).deliveries
      const turn = {
        ids: [delivery?.id as number],
        end: { reason: 'ok', detail: '' },
        accepted: true,
        now: 0,
        random: 0,
      } as const
      await assert.rejects(store.endTurn('alice', { ...turn, epoch: epoch + 1 }), { code: 'stale_lease' })
      await assert.rejects(store.endTurn('bob', { ...turn, epoch }), { code: 'stale_lease' })
      await assert.rejects(store.endTurn('alice', { ...turn, epoch, ids: [999] }), { code: 'stale_lease' })
      const next = await store.beginEpoch('alice', { charge: true, reason: 'killed' })
      await assert.rejects(store.endTurn('alice', { ...turn, epoch }), { code: 'stale_lease' })
      await assert.rejects(store.lease('alice', { epoch, joins: false, now: RETRIED_AT }), { code: 'stale_lease' })
      const again = await store.lease('alice', { epoch: next.epoch, joins: false, now: RETRIED_AT })
      assert.equal(again.deliveries[0]?.attempt, 2)
    })

    test('leases many at once: in order, none after one that has to be alone, none beyond what a reply holds', async () => {
      await using store = await open()
      const { epoch } = await store.beginEpoch('alice', { charge: false, reason: '' })
      const send = async (from: string, body: string) =>
        (await store.send({ from, to: ['alice'], body })).ids[0] as number
      const [a, b, c] = [await send('carol', 'a'), await send('carol', 'b'), await send('operator', 'c')]
      const take = async (max: number) => {
        const request = { epoch, joins: store.holds('alice'), max, now: RETRIED_AT }
        return (await store.lease('alice', request)).deliveries
      }
      const end = (reason: TurnReason) => {
        const turn = { epoch, ids: store.heldIds('alice'), accepted: reason === 'ok', now: ENDED_AT, random: 0 }
        return store.endTurn('alice', { ...turn, end: { reason, detail: '' } })
      }
      const first = await take(10)
      assert.deepEqual(
        first.map(({ id, attempt, pending }) => [id, attempt, pending]),
        [
          [c, 1, 0],
          [a, 1, 0],
          [b, 1, 0],
        ],
      )
      await end('crash')
      // The one that woke the turn failed: it comes alone; so do the others as long as it does.
      assert.deepEqual(
        (await take(10)).map(({ id }) => id),
        [c],
      )
      assert.deepEqual(await take(10), [])
      await end('ok')
      assert.deepEqual(
        (await take(10)).map(({ id }) => id),
        [a, b],
      )
      await end('ok')
      for (let n = 0; n < 20; n += 1) await send('carol', 'x'.repeat(64 * 1024))
      assert.ok((await take(20)).length < 12)
    })

    test('holds the queue while its head has to wait, but not for the operator', async () => {
      await using store = await open()
      const { epoch } = await store.beginEpoch('alice', { charge: false, reason: '' })
      for (const body of ['first', 'second']) await store.send({ from: 'carol', to: ['alice'], body })
      const [delivery] = (await store.lease('alice', { epoch, joins: false, now: 0 })).deliveries
      const end = { reason: 'overloaded', detail: '529' } as const
      await store.endTurn('alice', {
        epoch,
        ids: [delivery?.id as number],
        end,
        accepted: false,
        now: 1_000,
        random: 0,
      })
      const held = await store.lease('alice', { epoch, joins: false, now: 1_001 })
      assert.deepEqual(held.deliveries, [])
      assert.ok((held.waitUntil ?? 0) > 1_001)
      await store.send({ from: 'operator', to: ['alice'], body: 'now' })
      assert.equal((await store.lease('alice', { epoch, joins: false, now: 1_001 })).deliveries[0]?.body, 'now')
    })

    test('says what changed since a cursor, each message in its newest state', async () => {
      await using store = await open()
      const { cursor } = await store.list({ limit: 1 })
      const { ids } = await store.send({ from: 'carol', to: ['alice', 'bob'], body: 'x' })
      const page = await store.changes(cursor, { limit: 10 })
      assert.deepEqual(
        page.messages.map(({ id }) => id),
        ids,
      )
      const { epoch } = await store.beginEpoch('alice', { charge: false, reason: '' })
      await store.lease('alice', { epoch, joins: false, now: RETRIED_AT })
      assert.deepEqual(
        (await store.changes(page.cursor, { limit: 10 })).messages.map(({ id, state }) => [id, state]),
        [[ids[0], 'leased']],
      )
    })
  })
}

type Command = fc.AsyncCommand<StoreModel, Real>

const allCommands = (): fc.Arbitrary<Command>[] => [
  fc.tuple(fc.constantFrom(...SENDERS), fc.constantFrom(...AGENTS)).map(([from, to]) => send(from, to)),
  fc.tuple(fc.constantFrom(...AGENTS), fc.integer({ min: 1, max: 4 })).map((args) => lease(...args)),
  fc.tuple(fc.constantFrom(...AGENTS), fc.constantFrom(...REASONS), fc.boolean()).map((args) => endTurn(...args)),
  fc.tuple(fc.constantFrom(...AGENTS), fc.boolean()).map((args) => beginEpoch(...args)),
  fc.tuple(fc.constantFrom(...AGENTS), fc.boolean()).map((args) => reclaim(...args)),
  fc.nat().map(requeue),
]

const command = (
  name: string,
  run: (model: StoreModel, store: Store) => Promise<void>,
  check: (model: StoreModel) => boolean = () => true,
): Command => ({
  check,
  toString: () => name,
  async run(model, { store }) {
    await run(model, store)
    await compare(model, store)
  },
})

/** The rows of both, and what the store keeps in memory of them. */
async function compare(model: StoreModel, store: Store): Promise<void> {
  const all = (await store.list({ limit: 1_000 })).messages
  const rows = all.filter(({ from }) => from !== 'system')
  assert.deepEqual(rows.map(summary), model.messages.map(summary))
  for (const agent of AGENTS) {
    const system = all.filter(({ from, to }) => from === 'system' && to === agent)
    const queued = model.of(agent, 'queued').length + system.filter(({ state }) => state === 'queued').length
    assert.equal(store.queued(agent), queued, `queued of ${agent}`)
    assert.equal(store.holds(agent), model.holds(agent), `${agent} holds`)
  }
}

const summary = ({ id, from, to, state, attempt, failures }: Message | ModelMessage) => ({
  id,
  from,
  to,
  state,
  attempt,
  failures,
})

const send = (from: string, to: string): Command =>
  command(`send ${from} → ${to}`, async (model, store) => {
    const { ids } = await store.send({ from, to: [to], body: 'x' })
    model.send(ids[0] as number, from, to)
  })

const lease = (agent: string, max: number): Command =>
  command(`lease ${agent} ${max}`, async (model, store) => {
    const joins = model.holds(agent)
    const { deliveries } = await store.lease(agent, { epoch: store.epoch(agent), joins, max, now: RETRIED_AT })
    for (let n = 0; n < max; n += 1) {
      const delivery = deliveries[n]
      // News of dead letters come in between; they are worked on like any message.
      if (delivery?.from === 'system') model.adoptSystemMessage(delivery.id, agent)
      const expected = model.lease(agent, delivery?.from === 'system' ? delivery.id : undefined)
      assert.equal(delivery?.id, expected?.id)
      assert.equal(delivery?.attempt, expected?.attempt)
      if (!expected) break
    }
  })

const endTurn = (agent: string, reason: TurnReason, accepted: boolean): Command =>
  command(
    `end ${agent} ${reason} ${accepted}`,
    async (model, store) => {
      const ids = model.heldIds(agent)
      const end = { reason, detail: 'x' }
      const ended = await store.endTurn(agent, {
        epoch: store.epoch(agent),
        ids,
        end,
        accepted,
        now: ENDED_AT,
        random: 0.5,
      })
      assert.equal(ended.action, model.endTurn(agent, reason, accepted))
    },
    (model) => model.holds(agent),
  )

const beginEpoch = (agent: string, charge: boolean): Command =>
  command(`hello ${agent} ${charge}`, async (model, store) => {
    const before = store.epoch(agent)
    const { epoch } = await store.beginEpoch(agent, { charge, reason: 'new' })
    assert.equal(epoch, before + 1)
    model.takeBack(agent, charge)
  })

const reclaim = (agent: string, charge: boolean): Command =>
  command(`reclaim ${agent} ${charge}`, async (model, store) => {
    await store.reclaim(agent, { charge, reason: 'gone' })
    model.takeBack(agent, charge)
  })

const requeue = (pick: number): Command =>
  command(
    'requeue',
    async (model, store) => {
      const dead = model.messages.filter(({ state }) => state === 'dead')
      const { id } = dead[pick % dead.length] as ModelMessage
      await store.requeue(id)
      model.requeue(id)
    },
    (model) => model.messages.some(({ state }) => state === 'dead'),
  )
