import { type Block, contentText, type Message } from './messages-request.ts'

/** One prompt and what has come of it. */
export interface Turn {
  readonly prompt: string
  /** One per reply that the model has given in this turn: the texts of the tool results that came back. */
  readonly replies: { results: string[] }[]
}

/** Texts that the engine puts among the user's own: they begin no turn. */
const ENGINE_NOTE =
  /^\s*(<system-reminder>|\[Request interrupted by user|Output token limit hit\.|This session is being continued from a previous conversation|Continue from where you left off|The user sent a new message while you were working)/

const isPrompt = (block: Block): boolean => block.type === 'text' && !!block.text && !ENGINE_NOTE.test(block.text)

/**
 * The turns of a conversation, oldest first. Everything the model needs to know about its position is read from the messages,
 * so that a restarted model goes on where the last one was.
 */
export function readTurns(messages: readonly Message[]): Turn[] {
  const turns: Turn[] = []
  let previous: Message['role'] = 'user'
  for (const { role, content } of messages) {
    const turn = turns.at(-1)
    // The engine may split one reply into several messages of the same role.
    if (role === 'assistant' && previous !== 'assistant') turn?.replies.push({ results: [] })
    if (role === 'user') {
      const results = content.filter(({ type }) => type === 'tool_result').map((block) => contentText(block.content))
      turn?.replies.at(-1)?.results.push(...results)
      const prompt = content.filter(isPrompt).map(({ text }) => text ?? '')
      if (prompt.length > 0) turns.push({ prompt: prompt.join('\n'), replies: [] })
    }
    if (role !== 'system') previous = role
  }
  return turns
}

/** Whether the engine asks for a summary of the conversation, to go on from it in a smaller context. */
export const isSummaryRequest = (messages: readonly Message[]): boolean =>
  messages
    .findLast(({ role }) => role === 'user')
    ?.content.some(({ text }) => text?.includes('Your task is to create a detailed summary of')) ?? false
