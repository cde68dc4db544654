import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { LiveEvent, StoredEvent } from '../../../wire/events.ts'
import { called, gave, said, storedEvents } from './events-in-test.ts'
import { Fold, UNLIMITED } from './fold.ts'
import type { Call, Row, RowOf } from './row.ts'

const fold = (events: readonly StoredEvent[], limits?: typeof UNLIMITED): Fold => {
  const made = new Fold(limits)
  made.append(events)
  return made
}
const rowsOf = (...events: LiveEvent[]): readonly Row[] => fold(storedEvents(events)).rows
const onlyCall = (rows: readonly Row[]): Call => {
  const [row, ...others] = rows
  assert.equal(others.length, 0)
  assert.equal(row?.kind, 'calls')
  const [call] = row.calls
  assert.ok(call)
  return call
}
const kinds = (rows: readonly Row[]): string[] => rows.map(({ kind }) => kind)

test('a turn has a head with its senders and what waits, and an end', () => {
  const rows = rowsOf(
    { kind: 'turn_start', messages: [{ id: 7, from: 'bob', body: 'do it' }], pending: 3 },
    { kind: 'turn_end', end: { reason: 'quota', detail: 'weekly limit', resetsAt: 5 } },
  )
  const [head, end] = rows
  assert.equal(head?.kind, 'turn')
  assert.deepEqual([head.pending, head.messages[0]?.from, head.messages[0]?.body.text], [3, 'bob', 'do it'])
  assert.equal(end?.kind, 'end')
  assert.equal(end.end.reason, 'quota')
})

test('a call and its result are one row, whatever came between', () => {
  const rows = rowsOf(
    called('a', 'Bash', { command: 'make' }),
    called('b', 'Bash', { command: 'false' }),
    gave('b', 'no', { is_error: true }),
    gave('a', [{ type: 'text', text: 'made' }]),
  )
  assert.deepEqual(kinds(rows), ['calls', 'calls'])
  const calls = rows.flatMap((row) => (row.kind === 'calls' ? row.calls : []))
  assert.deepEqual(
    calls.map(({ title, result }) => [title, result?.text.text, result?.isError]),
    [
      ['$ make', 'made', false],
      ['$ false', 'no', true],
    ],
  )
})

test('lookups in a row fold into one, as far as fifty; anything else between them ends it', () => {
  const look = (n: number) => [called(`r${n}`, 'Read', { file_path: `/f${n}` }), gave(`r${n}`, 'text')]
  const rows = rowsOf(...look(1), ...look(2), said('assistant', { type: 'text', text: 'hm' }), ...look(3))
  assert.deepEqual(kinds(rows), ['calls', 'text', 'calls'])
  assert.deepEqual(
    (rows[0] as RowOf<'calls'>).calls.map(({ title }) => title),
    ['/f1', '/f2'],
  )
  const many = rowsOf(...Array.from({ length: 120 }, (_, n) => look(n)).flat())
  assert.deepEqual(
    many.map((row) => (row.kind === 'calls' ? row.calls.length : 0)),
    [50, 50, 20],
  )
})

test('a change is shown by the patch of the engine, before it comes by the strings of the input', () => {
  const input = { file_path: '/a', old_string: 'one\ntwo\n', new_string: 'one\n2\n' }
  const before = onlyCall(rowsOf(called('e', 'Edit', input)))
  assert.deepEqual(before.change?.lines, ['-one', '-two', '+one', '+2'])
  const detail = {
    structuredPatch: [
      { oldStart: 1, lines: [' one', '-two', '+2'] },
      { oldStart: 9, lines: ['+x'] },
    ],
  }
  const after = onlyCall(rowsOf(called('e', 'Edit', input), gave('e', 'done', { detail })))
  assert.deepEqual(after.change, { lines: [' one', '-two', '+2', '…', '+x'], added: 2, removed: 1, more: 0 })
  const written = onlyCall(rowsOf(called('w', 'Write', { file_path: '/b', content: 'x\n'.repeat(100) })))
  assert.deepEqual([written.change?.lines.length, written.change?.added, written.change?.more], [60, 100, 40])
})

test('a tool that is not known, and one that is given something strange, are shown with their whole input', () => {
  const unknown = onlyCall(rowsOf(called('x', 'mcp__other__thing', { deep: { a: 1 } })))
  assert.deepEqual([unknown.label, JSON.parse(unknown.body?.text ?? '')], ['mcp__other__thing', { deep: { a: 1 } }])
  const strange = onlyCall(rowsOf(called('y', 'Read', ['no object'])))
  assert.deepEqual(JSON.parse(strange.body?.text ?? ''), ['no object'])
  assert.equal(onlyCall(rowsOf(called('z', 'constructor', {}))).label, 'constructor')
})

test('nothing that is not known is dropped: lines, blocks, results without a call, parts of results', () => {
  const rows = rowsOf(
    { kind: 'stream', value: { type: 'brand_new', words: 'see me' } },
    { kind: 'stream', value: { type: 'system', subtype: 'brand_new', words: 'and me' } },
    { kind: 'stream', value: { type: 'assistant', message: 'not a message' } },
    said('assistant', { type: 'hologram', words: 'me too' }),
    gave('nobody', [{ type: 'hologram', words: 'in a result' }]),
    { kind: 'gap', lost: 4 },
  )
  assert.deepEqual(kinds(rows), ['raw', 'raw', 'raw', 'raw', 'result', 'note'])
  const text = JSON.stringify(rows)
  for (const words of ['see me', 'and me', 'not a message', 'me too', 'in a result', '4 events are missing']) {
    assert.ok(text.includes(words), words)
  }
})

test('what nests without end, and times that are none, are shown as such', () => {
  let deep: unknown = 'bottom'
  for (let depth = 0; depth < 100_000; depth += 1) deep = [deep]
  const rows = rowsOf(
    called('a', 'Unknown', deep),
    { kind: 'stream', value: { type: 'new', deep } },
    { kind: 'stream', value: { type: 'rate_limit_event', rate_limit_info: { status: 'rejected', resetsAt: 1e300 } } },
  )
  assert.deepEqual(kinds(rows), ['calls', 'raw', 'note'])
})

test('long texts are cut, and whole in a fold without limits', () => {
  const events = storedEvents([
    called('a', 'Bash', { command: 'cat' }),
    gave('a', `first\n${'x'.repeat(3000)}\nlast`),
    said('assistant', { type: 'thinking', thinking: 'y'.repeat(3000) }),
  ])
  const cut = (fold(events).rows[0] as RowOf<'calls'>).calls[0]?.result?.text
  assert.deepEqual([cut?.text.length, cut?.length, cut?.lines], [2000, 3011, 3])
  const whole = (fold(events, UNLIMITED).rows[0] as RowOf<'calls'>).calls[0]?.result?.text
  assert.equal(whole?.text.length, 3011)
})

test('pictures are counted, and kept without limits; one that was cut is no picture', () => {
  const picture = (media_type: string, data: string) => ({
    type: 'image',
    source: { type: 'base64', media_type, data },
  })
  const events = storedEvents([
    called('a', 'Read', { file_path: '/p.png' }),
    gave('a', [picture('image/png', 'AAAA'), picture('image/png', 'AA… (cut)'), picture('image/svg+xml', 'AAAA')]),
  ])
  assert.deepEqual(onlyCall(fold(events).rows).result?.images, [])
  const { result } = onlyCall(fold(events, UNLIMITED).rows)
  assert.deepEqual([result?.imageCount, result?.images], [1, ['data:image/png;base64,AAAA']])
  assert.match(result?.text.text ?? '', /svg\+xml/)
})

test('a call runs until it has a result or its turn is over', () => {
  const made = new Fold()
  const events = storedEvents([
    called('a', 'Bash', { command: 'sleep' }),
    { kind: 'turn_end', end: { reason: 'interrupted', detail: '' } },
  ])
  made.append(events.slice(0, 1))
  assert.equal(made.isRunning(onlyCall(made.rows)), true)
  made.append(events.slice(1))
  assert.equal(made.isRunning((made.rows[0] as RowOf<'calls'>).calls[0] as Call), false)
})

test('notes on how the same thing goes on are one row', () => {
  const retry = (attempt: number): LiveEvent => ({
    kind: 'stream',
    value: { type: 'system', subtype: 'api_retry', attempt, max_retries: 10, error: 'overloaded' },
  })
  const rows = rowsOf(retry(1), retry(2), retry(3))
  assert.deepEqual(
    rows.map((row) => row.kind === 'note' && row.text),
    ['the model is asked again (3 of 10): overloaded'],
  )
})

const SAMPLES = new URL('samples/', import.meta.url)

/** A recorded stream as the events that a harness makes of it. */
const sampleEvents = (name: string): StoredEvent[] =>
  storedEvents(
    readFileSync(new URL(name, SAMPLES), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): LiveEvent => ({ kind: 'stream', value: JSON.parse(line) })),
  )

for (const name of readdirSync(SAMPLES)) {
  test(`${name}: every text, call and result of the recorded stream is in the rows`, () => {
    const events = sampleEvents(name)
    const text = JSON.stringify(fold(events, UNLIMITED).rows)
    const isShown = (value: unknown): void =>
      assert.ok(text.includes(JSON.stringify(value).slice(1, -1)), String(value))
    for (const { event } of events) {
      const content = event.kind === 'stream' && (event.value.message as { content?: unknown } | undefined)?.content
      for (const block of Array.isArray(content) ? content : []) {
        if (block.type === 'text' && !block.text.startsWith('<local-command')) isShown(block.text.trim())
        if (block.type === 'tool_use') isShown(block.id)
        if (block.type === 'tool_result' && typeof block.content === 'string') isShown(block.content)
      }
    }
    assert.equal(text.includes('"kind":"result"'), false, 'a result without its call')
  })

  test(`${name}: rows are the same however their events come`, () => {
    const events = sampleEvents(name)
    const whole = fold(events).rows
    for (let cut = 1; cut < events.length; cut += 1) {
      const pages = fold(events.slice(cut))
      pages.prepend(events.slice(0, cut))
      assert.deepEqual(pages.rows, whole, `cut before event ${cut}`)
    }
    const single = new Fold()
    for (const event of events) single.append([event])
    assert.deepEqual(single.rows, whole)
  })
}

test('an event finds its row: its own, that of the call it ended, or the one before', () => {
  const made = fold(
    storedEvents([
      said('assistant', { type: 'text', text: 'a' }, { type: 'text', text: 'b' }),
      called('a', 'Bash', { command: 'x' }),
      said('assistant', { type: 'text', text: 'meanwhile' }),
      gave('a', 'y'),
    ]),
  )
  assert.deepEqual(
    [9, 10, 20, 30, 40, 45].map((seq) => made.indexOf(seq)),
    [-1, 1, 2, 3, 2, 3],
  )
})

/** 20,000 events in the shape of real work, each counting how often it is looked at. */
function countedEvents(): { events: StoredEvent[]; looks: () => number } {
  let looks = 0
  const turn = (n: number): LiveEvent[] => [
    { kind: 'turn_start', messages: [{ id: n, from: 'manager', body: 'go on' }], pending: 0 },
    ...[1, 2, 3].flatMap((m) => [
      called(`r${n}.${m}`, 'Read', { file_path: '/x' }),
      gave(`r${n}.${m}`, 'line\n'.repeat(50)),
    ]),
    said('assistant', { type: 'text', text: `**Step ${n}.**` }),
    called(`b${n}`, 'Bash', { command: 'make' }),
    gave(`b${n}`, 'ok'),
    { kind: 'turn_end', end: { reason: 'ok', detail: '' } },
  ]
  const plain = storedEvents(
    Array.from({ length: 20_000 / 11 + 1 }, (_, n) => turn(n))
      .flat()
      .slice(0, 20_000),
  )
  const events = plain.map(({ event, ...rest }) => ({
    ...rest,
    get event() {
      looks += 1
      return event
    },
  }))
  return { events, looks: () => looks }
}

test('20,000 events: one more is looked at alone, and leaves every other row as it was', () => {
  const { events, looks } = countedEvents()
  const made = fold(events)
  assert.ok(looks() <= 20_000 * 2, `${looks()} looks at ${events.length} events`)
  const before = [...made.rows]
  const seen = looks()
  made.append(storedEvents([called('new', 'Bash', { command: 'make' }), gave('new', 'ok')], 1_000_000))
  assert.equal(looks(), seen)
  assert.equal(made.rows.length, before.length + 1)
  assert.equal(before.filter((row, index) => row !== made.rows[index]).length, 0)
})

test('20,000 events in pages, newest first: each is looked at once, and a page leaves the rows after it as they were', () => {
  const { events, looks } = countedEvents()
  const made = new Fold()
  let replaced = 0
  for (let end = events.length; end > 0; end -= 500) {
    const before = new Set(made.rows)
    made.prepend(events.slice(Math.max(0, end - 500), end))
    for (const row of made.rows) before.delete(row)
    replaced += before.size
  }
  assert.ok(looks() <= 20_000 * 2, `${looks()} looks`)
  // At each seam at most: a result that finds its call, and lookups that join those before.
  assert.ok(replaced <= 40 * 4, `${replaced} rows replaced`)
  assert.deepEqual(made.rows, fold(events).rows)
})
