import type { StoredEvent } from '../../../wire/events.ts'
import { Fold, UNLIMITED } from './fold.ts'
import { rowText } from './row-text.ts'
import type { EventSource } from './transcript-store.ts'

export type ExportFormat = 'markdown' | 'jsonl'

/** All events of an agent, from the first, page by page. */
async function* allEvents({ page }: Pick<EventSource, 'page'>): AsyncGenerator<readonly StoredEvent[]> {
  for (let after = 0; ; ) {
    const events = await page({ after, limit: 500 })
    const last = events.at(-1)
    if (!last) return
    yield events
    after = last.seq
  }
}

/** The whole transcript as pieces of a file. JSONL: an event a line, as it is stored. Rejects when a page cannot be had. */
export async function exportTranscript(
  source: Pick<EventSource, 'page'>,
  agent: string,
  format: ExportFormat,
): Promise<string[]> {
  const pieces: string[] = []
  const fold = new Fold(UNLIMITED)
  for await (const events of allEvents(source)) {
    if (format === 'markdown') fold.append(events)
    else for (const event of events) pieces.push(`${JSON.stringify(event)}\n`)
  }
  if (format === 'jsonl') return pieces
  return [`# Transcript of ${agent}\n\n`, ...fold.rows.map((row) => `${rowText(row)}\n\n`)]
}
