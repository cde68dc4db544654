import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { StoredEvent } from '../../../wire/events.ts'
import { called, gave, said, storedEvents } from './events-in-test.ts'
import { exportTranscript } from './export-transcript.ts'
import { snippetOf } from './snippet.ts'

const sourceOf = (events: readonly StoredEvent[], size = 3) => ({
  page: async ({ after = 0 }) => events.filter(({ seq }) => seq > after).slice(0, size),
})

test('an export as JSONL is every event as it is stored, over all pages', async () => {
  const events = storedEvents(
    readFileSync(new URL('samples/helper.jsonl', import.meta.url), 'utf8')
      .trim()
      .split('\n')
      .map((line) => ({ kind: 'stream', value: JSON.parse(line) })),
  )
  const pieces = await exportTranscript(sourceOf(events), 'alice', 'jsonl')
  const back = pieces
    .join('')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(back, events)
})

test('an export as Markdown has everything whole, and no text of an agent ends its place', async () => {
  const long = 'x'.repeat(5000)
  const events = storedEvents([
    { kind: 'turn_start', messages: [{ id: 7, from: 'bob', body: 'first\n## not a heading' }], pending: 0 },
    called('a', 'Bash', { command: 'cat *file*' }),
    gave('a', `${long}\n\`\`\`\nafter`),
    called('e', 'Edit', { file_path: '/a', old_string: 'one', new_string: 'two' }),
    said('assistant', { type: 'text', text: 'done\u202e' }),
    { kind: 'turn_end', end: { reason: 'quota', detail: 'weekly' } },
  ])
  const text = (await exportTranscript(sourceOf(events), 'alice', 'markdown')).join('')
  assert.ok(text.startsWith('# Transcript of alice\n\n## Turn ← bob\n'))
  assert.match(text, /^> ## not a heading$/m)
  assert.match(text, /^\*\*Bash\*\* \$ cat \\\*file\\\*$/m)
  assert.ok(text.includes(`\`\`\`\`\n${long}\n\`\`\`\nafter\n\`\`\`\``))
  assert.match(text, /^```diff\n-one\n\+two\n```$/m)
  assert.match(text, /^done<U\+202E>$/m)
  assert.match(text, /^\*Turn ended: quota \(weekly\)\*$/m)
})

test('a hit is shown with what stands around it', () => {
  const event = {
    kind: 'stream',
    value: { message: { content: [{ text: `${'a'.repeat(100)}NEEDLE${'b'.repeat(100)}` }] } },
  }
  assert.deepEqual(snippetOf(event, 'needle'), ['a'.repeat(60), 'NEEDLE', 'b'.repeat(60)])
  assert.deepEqual(snippetOf({ kind: 'note' }, 'x'), ['', 'x', ''])
})
