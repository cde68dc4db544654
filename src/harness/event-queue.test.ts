import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HiveError } from '../wire/errors.ts'
import { type LiveEvent, MAX_EVENT_BYTES } from '../wire/events.ts'
import { MAX_LINE_BYTES } from '../wire/op.ts'
import { cutEvent, EventQueue } from './event-queue.ts'

type Batch = { n: number; at: number; event: LiveEvent }[]

const note = (text: string): LiveEvent => ({ kind: 'note', level: 'info', text })
const stream = (value: Record<string, unknown>): LiveEvent => ({ kind: 'stream', value })
const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** A queue whose batches are kept; `answer` decides what becomes of each. */
function openQueue({
  maxBytes,
  answer = async () => {},
}: {
  maxBytes?: number
  answer?: (batch: Batch) => Promise<void>
}) {
  const stored: Batch[] = []
  const send = async (batch: Batch) => {
    await answer(batch)
    stored.push(batch)
  }
  const queue = new EventQueue({ send, maxBytes, now: () => 7 })
  return { queue, stored, events: () => stored.flat().map(({ event }) => event) }
}

describe('an event that is too large', () => {
  test('has its long strings cut, and says how long they were', () => {
    const cut = cutEvent(stream({ type: 'user', image: 'x'.repeat(300_000), short: 'kept' }))
    assert.ok(sizeOf(cut) <= MAX_EVENT_BYTES)
    assert.ok(JSON.stringify(cut).includes('kept'))
    assert.ok(JSON.stringify(cut).includes('[cut: 300000 characters]'))
  })

  test('is measured in bytes, not in characters', () => {
    const cut = cutEvent(stream({ type: 'user', parts: Array.from({ length: 3 }, () => '漢'.repeat(40_000)) }))
    assert.ok(sizeOf(cut) <= MAX_EVENT_BYTES)
    assert.ok(JSON.stringify(cut).includes('[cut: 40000 characters]'))
  })

  test('becomes a note of its size when no string in it is long', () => {
    const names = Array.from({ length: 20_000 }, (_, at) => `src/${at}.ts`)
    const event = stream({ type: 'user', tool_use_result: { filenames: names } })
    const cut = cutEvent(event)
    assert.deepEqual(cut, {
      kind: 'note',
      level: 'warn',
      text: `a stream event (user) of ${sizeOf(event)} bytes was too large to keep`,
    })
  })

  test('is not touched when it fits', () => {
    const event = stream({ type: 'assistant', text: 'я'.repeat(20_000) })
    assert.equal(cutEvent(event), event)
  })
})

describe('a batch', () => {
  test('holds what was pushed in one go, numbered in order', async () => {
    const { queue, stored } = openQueue({})
    for (const text of ['a', 'b', 'c']) queue.push(note(text))
    await queue.flush()
    queue.push(note('d'))
    await queue.flush()
    assert.deepEqual(
      stored.map((batch) => batch.map(({ n, at, event }) => [n, at, event.kind === 'note' && event.text])),
      [
        [
          [1, 7, 'a'],
          [2, 7, 'b'],
          [3, 7, 'c'],
        ],
        [[4, 7, 'd']],
      ],
    )
  })

  test('fits on a line in whatever script it is written', async () => {
    const { queue, stored } = openQueue({})
    for (let at = 0; at < 40; at++) queue.push(note('Ж漢'.repeat(12_000)))
    await queue.flush()
    assert.equal(stored.flat().length, 40)
    for (const batch of stored) assert.ok(sizeOf(batch) < MAX_LINE_BYTES - 1024)
  })
})

describe('what cannot be kept', () => {
  test('while the daemon is away becomes one gap in its place', async () => {
    const away = Promise.withResolvers<void>()
    const { queue, events } = openQueue({ maxBytes: 250, answer: () => away.promise })
    for (const text of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) queue.push(note(text))
    away.resolve()
    await queue.flush()
    queue.push(note('later'))
    await queue.flush()
    const kept = events().filter(({ kind }) => kind === 'note').length - 1
    assert.ok(kept > 0 && kept < 8)
    assert.deepEqual(events().slice(kept), [{ kind: 'gap', lost: 8 - kept }, note('later')])
  })

  test('is counted in bytes too', async () => {
    const away = Promise.withResolvers<void>()
    const { queue, events } = openQueue({ maxBytes: 2_000, answer: () => away.promise })
    queue.push(note('漢'.repeat(500)))
    queue.push(note('漢'.repeat(500)))
    away.resolve()
    await queue.flush()
    assert.deepEqual(events(), [note('漢'.repeat(500)), { kind: 'gap', lost: 1 }])
  })

  test('because it was refused becomes a gap before the next event, and the queue goes on', async () => {
    const refusals = [new HiveError('bad_input', 'no'), new HiveError('too_large', 'no')]
    const { queue, stored, events } = openQueue({
      answer: async () => {
        const refusal = refusals.shift()
        if (refusal) throw refusal
      },
    })
    for (const text of ['a', 'b']) queue.push(note(text))
    await queue.flush()
    queue.push(note('c'))
    await queue.flush()
    assert.deepEqual(events(), [])
    queue.push(note('d'))
    await queue.flush()
    assert.deepEqual(events(), [{ kind: 'gap', lost: 3 }, note('d')])
    assert.deepEqual(
      stored.flat().map(({ n }) => n),
      [5, 6],
    )
  })
})
