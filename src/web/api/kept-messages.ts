import type { Message } from '../../wire/things.ts'

/** So many messages a page keeps; older ones are on the page of all messages. */
export const KEPT_MESSAGES = 500

/** The messages of before with those that came or changed, oldest first, at most `limit`. */
export function mergeMessages(
  kept: readonly Message[],
  changed: readonly Message[],
  limit = KEPT_MESSAGES,
): readonly Message[] {
  if (changed.length === 0) return kept
  const byId = new Map(kept.map((message) => [message.id, message]))
  const oldest = kept.length >= limit ? (kept[0]?.id ?? 0) : 0
  for (const message of changed) if (message.id >= oldest) byId.set(message.id, message)
  return [...byId.values()].sort((a, b) => a.id - b.id).slice(-limit)
}
