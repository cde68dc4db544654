import type { Turn } from './conversation.ts'
import { type HttpFaultName, isHttpFault } from './faults.ts'
import { findPlace, type Place, readPrompt } from './place.ts'
import type { Call, FaultStep, Scenario, Step } from './scenario.ts'
import { fillTemplate, fillText, type Values } from './template.ts'

/** A piece of a streamed reply, in order: content, or what befalls the stream at that point. */
export type Piece =
  | { readonly type: 'text'; readonly text: string; readonly paceMs: number }
  | { readonly type: 'thinking'; readonly thinking: string }
  | { readonly type: 'tool_use'; readonly name: string; readonly input: unknown }
  | { readonly type: 'stall'; readonly ms: number }
  | { readonly type: 'drop' }
  | { readonly type: 'mid_error' }

export type StopReason = 'end_turn' | 'tool_use' | 'max_tokens' | 'refusal'

export interface MessageReply {
  readonly kind: 'message'
  readonly pieces: readonly Piece[]
  readonly stopReason: StopReason
  /** Reported instead of an estimate. */
  readonly inputTokens?: number
}

export type Reply =
  | MessageReply
  | { readonly kind: 'error'; readonly name: HttpFaultName; readonly fault: FaultStep }
  | { readonly kind: 'reset' }

/** Whether a fault that happens `times` is still due; counts it if so. `key` names the message and the step. */
export type TakeFault = (key: string, times: number) => boolean

export interface Scene {
  readonly scenario: Scenario
  /** The agent that asks. */
  readonly label: string
  readonly turns: readonly Turn[]
  readonly paceMs: number
  readonly takeFault: TakeFault
}

/** What the model says next: decided by the conversation alone, but for how often a fault has happened. */
export function decideReply({ scenario, label, turns, paceMs, takeFault }: Scene): Reply {
  const place = findPlace(scenario.rules, label, turns)
  if (!place) return sayOnly('Noted.')
  const { rule, position, values } = place
  const steps = splitReplies(rule.do, values)[position]
  if (!steps) return sayOnly('Done.')
  const message = nameMessage(turns)
  const isDue = (fault: FaultStep): boolean => {
    const key = [label, message, scenario.rules.indexOf(rule), rule.do.indexOf(fault)].join('\0')
    return takeFault(key, readCount(fault.times, values, Number.POSITIVE_INFINITY))
  }
  return performSteps(steps, place, scenario.paceMs ?? paceMs, isDue)
}

/** A whole reply that is nothing but a text. */
export const sayOnly = (text: string): MessageReply => ({
  kind: 'message',
  pieces: [{ type: 'text', text, paceMs: 0 }],
  stopReason: 'end_turn',
})

/** A redelivered message is the same message. */
function nameMessage(turns: readonly Turn[]): string {
  const turn = turns.at(-1) ?? { prompt: '', replies: [] }
  const { text, wake } = readPrompt(turn)
  return wake ? String(wake.id) : text
}

function readCount(count: number | string | undefined, values: Values, absent: number): number {
  if (typeof count === 'number') return count
  const text = fillText(count ?? '', values)
  return text === '' ? absent : Number(text)
}

/** More than any engine tries. */
const MAX_CONTINUATIONS = 50

/** Which steps make one reply: a reply ends with its tool calls, or where its tokens run out. */
function splitReplies(steps: readonly Step[], values: Values): Step[][] {
  const replies: Step[][] = [[]]
  for (const step of steps) {
    const reply = replies.at(-1) ?? []
    reply.push(step)
    const runsOut = 'fault' in step && step.fault === 'max_tokens'
    const copies = runsOut ? Math.min(readCount(step.times, values, MAX_CONTINUATIONS), MAX_CONTINUATIONS) - 1 : 0
    for (let copy = 0; copy < copies; copy++) replies.push([...reply])
    if (runsOut || 'call' in step || 'calls' in step) replies.push([])
  }
  return replies.filter((reply) => reply.length > 0)
}

function performSteps(
  steps: readonly Step[],
  { values }: Place,
  paceMs: number,
  isDue: (fault: FaultStep) => boolean,
): Reply {
  const pieces: Piece[] = []
  let inputTokens: number | undefined
  for (const step of steps) {
    if ('say' in step) inputTokens = step.inputTokens ?? inputTokens
    if (!('fault' in step)) pieces.push(...contentOf(step, values, paceMs))
    else if (step.fault === 'max_tokens' || isDue(step)) {
      const fault = performFault(step, pieces, values)
      if (fault) return fault
    }
  }
  if (pieces.length === 0) return sayOnly('Done.')
  const stopReason = pieces.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn'
  return { kind: 'message', pieces, stopReason, inputTokens }
}

/** What a fault makes of the pieces so far. A stall gets a place among them, and the reply goes on. */
function performFault(step: FaultStep, pieces: Piece[], values: Values): Reply | undefined {
  const { fault } = step
  if (isHttpFault(fault)) return { kind: 'error', name: fault, fault: step }
  if (fault === 'reset') return { kind: 'reset' }
  if (fault === 'refuse') return { kind: 'message', pieces, stopReason: 'refusal' }
  if (fault === 'max_tokens') {
    // An engine forgets a reply without content, and with it how often it went on.
    const cut = pieces.length > 0 ? pieces : sayOnly('And so').pieces
    return { kind: 'message', pieces: cut, stopReason: 'max_tokens' }
  }
  if (fault !== 'stall') return { kind: 'message', pieces: [...pieces, { type: fault }], stopReason: 'end_turn' }
  pieces.push({ type: 'stall', ms: readCount(step.ms, values, Number.POSITIVE_INFINITY) })
}

/** A reply that is nothing but a fault. */
export function failReply(step: FaultStep): Reply {
  const pieces: Piece[] = []
  return performFault(step, pieces, {}) ?? { kind: 'message', pieces, stopReason: 'end_turn' }
}

function contentOf(step: Exclude<Step, FaultStep>, values: Values, paceMs: number): Piece[] {
  const callTool = ({ call, with: input = {} }: Call): Piece => ({
    type: 'tool_use',
    name: call,
    input: fillTemplate(input, values),
  })
  if ('say' in step) {
    return [{ type: 'text', text: fillText(step.say, values), paceMs: readCount(step.paceMs, values, paceMs) }]
  }
  if ('think' in step) return [{ type: 'thinking', thinking: fillText(step.think, values) }]
  if ('call' in step) return [callTool(step)]
  if ('calls' in step) return step.calls.map(callTool)
  const everyMs = Math.max(1, readCount(step.mumble.everyMs, values, 50))
  const words = Math.max(1, Math.ceil(readCount(step.mumble.forMs, values, 0) / everyMs))
  return [{ type: 'text', text: 'mumble '.repeat(words).trimEnd(), paceMs: everyMs }]
}
