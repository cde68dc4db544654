import { type Block, contentText, type Message } from './messages-request.ts'

/** One prompt and what has come of it. */
export interface Turn {
  readonly prompt: string
  readonly replies: TurnReply[]
}

/** A reply that the model has given. */
export interface TurnReply {
  /** Ids of its tool calls. */
  readonly calls: string[]
  /** What the calls brought, in their order: the engine reports them as they finish. */
  readonly results: string[]
}

/** How the texts begin that the engine puts among the user's own: they begin no turn. */
const ENGINE_NOTES = [
  '<system-reminder>',
  '[Request interrupted by user',
  '[earlier conversation truncated',
  '[Your previous response had no visible output',
  'Output token limit hit.',
  'This session is being continued from a previous conversation',
  'Continue from where you left off',
  'The user sent a new message while you were working',
]
/** Notes about the reply before them: it does not count, the model has to give it again. */
const UNFINISHED_NOTES = [
  'Your response above was cut off mid-stream',
  'Your response above was stopped by a safety classifier',
]

const startsLike = (text: string, starts: readonly string[]): boolean =>
  starts.some((start) => text.trimStart().startsWith(start))

/**
 * The turns of a conversation, oldest first. Everything the model needs to know about its position is read from the messages,
 * so that a restarted model goes on where the last one was.
 */
export function readTurns(messages: readonly Message[]): Turn[] {
  const turns: Turn[] = []
  let speaker: Message['role'] = 'user'
  for (const { role, content } of messages) {
    if (role === 'system') continue
    if (role === 'assistant') {
      const replies = turns.at(-1)?.replies
      // The engine may split one reply into several messages.
      if (speaker !== 'assistant') replies?.push({ calls: [], results: [] })
      replies?.at(-1)?.calls.push(...readCalls(content))
    }
    // It also joins prompts that got no answer with the next one, each as a block of its own.
    if (role === 'user') for (const block of content) readUserBlock(turns, block, speaker === 'assistant')
    speaker = role
  }
  return turns
}

const readCalls = (content: readonly Block[]): string[] =>
  content.flatMap(({ type, id }) => (type === 'tool_use' ? [String(id)] : []))

function readUserBlock(turns: Turn[], block: Block, followsReply: boolean): void {
  const turn = turns.at(-1)
  const text = block.text ?? ''
  if (block.type === 'tool_result') {
    const { calls, results } = turn?.replies.at(-1) ?? { calls: [], results: [] }
    results[Math.max(0, calls.indexOf(block.tool_use_id ?? ''))] = contentText(block.content)
  } else if (block.type === 'text' && startsLike(text, UNFINISHED_NOTES)) {
    if (followsReply) turn?.replies.pop()
  } else if (block.type === 'text' && text.trim() && !startsLike(text, ENGINE_NOTES)) {
    turns.push({ prompt: text, replies: [] })
  }
}

/** Whether the engine asks for a summary of the conversation, to go on from it in a smaller context. */
export const isSummaryRequest = (messages: readonly Message[]): boolean =>
  messages
    .findLast(({ role }) => role === 'user')
    ?.content.some(({ text }) => text?.includes('Your task is to create a detailed summary of')) ?? false
