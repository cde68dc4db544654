import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Message } from '../../wire/things.ts'
import type { TurnReason } from '../../wire/turn.ts'
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

    test('refuses what comes over the cap of an inbox, and takes the operator’s inbox without one', async () => {
      await using store = await open()
      const send = (to: string) => store.send({ from: 'carol', to: [to], body: 'x' })
      await Promise.all(Array.from({ length: 1_000 }, () => send('alice')))
      await assert.rejects(send('alice'), { code: 'inbox_full' })
      await Promise.all(Array.from({ length: 1_001 }, () => send('operator')))
      assert.equal((await store.count()).done, 1_001)
    })

    test('pauses a chain at its seventeenth hop, tells the manager once, and lets it go on', async () => {
      await using store = await open()
      const { epoch } = await store.beginEpoch('alice', { charge: false, reason: '' })
      const root = (await store.send({ from: 'operator', to: ['alice'], body: 'go' })).ids[0] as number
      const hop = async () => {
        const { delivery } = await store.lease('alice', { epoch, joins: false, now: RETRIED_AT })
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
      const { delivery } = await store.lease('alice', { epoch, joins: false, now: RETRIED_AT })
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
      assert.equal(again.delivery?.attempt, 2)
    })

    test('holds the queue while its head has to wait, but not for the operator', async () => {
      await using store = await open()
      const { epoch } = await store.beginEpoch('alice', { charge: false, reason: '' })
      for (const body of ['first', 'second']) await store.send({ from: 'carol', to: ['alice'], body })
      const { delivery } = await store.lease('alice', { epoch, joins: false, now: 0 })
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
      assert.equal(held.delivery, undefined)
      assert.ok((held.waitUntil ?? 0) > 1_001)
      await store.send({ from: 'operator', to: ['alice'], body: 'now' })
      assert.equal((await store.lease('alice', { epoch, joins: false, now: 1_001 })).delivery?.body, 'now')
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
  fc.constantFrom(...AGENTS).map(lease),
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

const lease = (agent: string): Command =>
  command(`lease ${agent}`, async (model, store) => {
    const joins = model.holds(agent)
    const { delivery } = await store.lease(agent, { epoch: store.epoch(agent), joins, now: RETRIED_AT })
    // News of dead letters come in between; they are worked on like any message.
    if (delivery?.from === 'system') model.adoptSystemMessage(delivery.id, agent)
    const expected = model.lease(agent, delivery?.from === 'system' ? delivery.id : undefined)
    assert.equal(delivery?.id, expected?.id)
    assert.equal(delivery?.attempt, expected?.attempt)
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
