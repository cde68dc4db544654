import type { Turn } from './conversation.ts'
import { compilePattern, type Rule } from './scenario.ts'
import type { Values } from './template.ts'
import { parseWake, type Wake } from './wake-text.ts'

/** Where a conversation stands in a scenario. */
export interface Place {
  readonly rule: Rule
  /** How many of the rule's replies were given. */
  readonly position: number
  /** What the placeholders of its steps stand for. */
  readonly values: Values
}

/** What a prompt says: the text that rules look at, and the header when it is a wake prompt. */
export interface Prompt {
  readonly text: string
  readonly wake: Wake | undefined
}

export function readPrompt(turn: Turn): Prompt {
  const wake = parseWake(turn.prompt)[0]
  return { text: (wake?.body ?? turn.prompt).trim(), wake }
}

/** Replays the last turn: which rule speaks now, and where in it. Undefined when no rule answers the prompt. */
export function findPlace(rules: readonly Rule[], label: string, turns: readonly Turn[]): Place | undefined {
  const turn = turns.at(-1)
  const prompt = turn && readPrompt(turn)
  const first = prompt && firstRule(rules, prompt)
  if (!first) return undefined
  let [rule, position, captures] = [first, 0, capture(first.body, prompt.text)]
  for (const { results } of turn.replies) {
    const result = results.join('\n')
    const next = results.length > 0 ? takesOver(rules, prompt, result) : undefined
    if (next && next !== rule) {
      rule = next
      position = 0
      captures = { ...captures, ...capture(next.result, result) }
    } else position += 1
  }
  const n = turns.filter((earlier) => firstRule(rules, readPrompt(earlier)) === first).length
  const result = turn.replies.at(-1)?.results.join('\n') ?? ''
  return { rule, position, values: { ...captures, ...headerValues(prompt), label, result, n, turn: turns.length } }
}

const firstRule = (rules: readonly Rule[], prompt: Prompt): Rule | undefined =>
  rules.find((rule) => rule.result === undefined && fits(rule, prompt))

const takesOver = (rules: readonly Rule[], prompt: Prompt, result: string): Rule | undefined =>
  rules.find((rule) => rule.result !== undefined && compilePattern(rule.result).test(result) && fits(rule, prompt))

const fits = ({ body, from, standing, attempt }: Rule, { text, wake }: Prompt): boolean =>
  (body === undefined || compilePattern(body).test(text)) &&
  (from === undefined || compilePattern(`^(?:${from})$`).test(wake?.from ?? '')) &&
  (standing === undefined || standing === wake?.standing) &&
  (attempt === undefined || attempt === wake?.attempt)

/** The groups of a pattern by number and by name; a group that took no part is empty. */
function capture(pattern: string | undefined, text: string): Values {
  const match = pattern === undefined ? null : compilePattern(pattern).exec(text)
  const numbered = match?.slice(1).map((value, index) => [String(index + 1), value ?? '']) ?? []
  const named = Object.entries(match?.groups ?? {}).map(([name, value]) => [name, value ?? ''])
  return Object.fromEntries([...numbered, ...named])
}

const headerValues = ({ text, wake }: Prompt): Values => ({
  id: wake?.id ?? 0,
  from: wake?.from ?? '',
  standing: wake?.standing ?? '',
  attempt: wake?.attempt ?? 1,
  pending: wake?.pending ?? 0,
  body: text,
})
