import { z } from 'zod'
import { HiveError } from '../wire/errors.ts'
import { Standing } from '../wire/names.ts'
import { FAULT_NAMES, LIMIT_CLAIMS } from './faults.ts'

/** Dot matches line ends: a body is often longer than a line. */
export const compilePattern = (pattern: string): RegExp => new RegExp(pattern, 's')

const Pattern = z.string().superRefine((source, context) => {
  try {
    compilePattern(source)
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message })
  }
})

/** A number, or a placeholder that becomes one. */
const Count = z.union([
  z.number().nonnegative(),
  z.string().regex(/^\{\w+\}$/, 'is neither a number nor a placeholder'),
])

const Say = z.strictObject({
  say: z.string(),
  /** Milliseconds between the pieces of the text. */
  paceMs: Count.optional(),
  /** Reported as the size of the context. */
  inputTokens: z.number().int().optional(),
})
const Think = z.strictObject({ think: z.string() })
const Call = z.strictObject({ call: z.string(), with: z.record(z.string(), z.unknown()).default({}) })
const Calls = z.strictObject({ calls: z.array(Call).min(1) })
/** Says one word after another, `everyMs` apart, for as long as `forMs`. */
const Mumble = z.strictObject({ mumble: z.strictObject({ forMs: Count, everyMs: Count }) })
const Fault = z.strictObject({
  fault: z.enum(FAULT_NAMES),
  /** How often for one message, afterwards the step is passed over; without it, always. */
  times: Count.optional(),
  message: z.string().optional(),
  retryAfterSeconds: z.number().optional(),
  resetsInSeconds: z.number().int().optional(),
  claim: z.enum(LIMIT_CLAIMS).optional(),
  /** Milliseconds of a stall; without it, for ever. */
  ms: Count.optional(),
})
const STEPS = { say: Say, think: Think, call: Call, calls: Calls, mumble: Mumble, fault: Fault }

export type Call = z.input<typeof Call>
export type FaultStep = z.input<typeof Fault>
export type Step =
  | z.input<typeof Say>
  | z.input<typeof Think>
  | Call
  | z.input<typeof Calls>
  | z.input<typeof Mumble>
  | FaultStep
export type Fault = FaultStep['fault']

// Not a union: that would answer every slip with "invalid input".
const Step = z
  .custom<Step>((value) => typeof value === 'object' && value !== null)
  .superRefine((value, context) => {
    const [kind, schema] = Object.entries(STEPS).find(([name]) => name in value) ?? []
    if (!schema) {
      context.addIssue({ code: 'custom', message: `a step needs one of ${Object.keys(STEPS).join(', ')}` })
    }
    for (const { path, message } of schema?.safeParse(value).error?.issues ?? []) {
      context.addIssue({ code: 'custom', path, message: `${kind}: ${message}` })
    }
  })

const Rule = z.strictObject({
  /** On the body of the message, or on the whole prompt when it is no wake prompt. */
  body: Pattern.optional(),
  from: Pattern.optional(),
  standing: Standing.optional(),
  attempt: z.number().int().positive().optional(),
  /** On the last tool result: the rule takes over in the middle of a turn. */
  result: Pattern.optional(),
  do: z.array(Step),
})
export type Rule = z.infer<typeof Rule>

export const Scenario = z.strictObject({
  $schema: z.string().optional(),
  about: z.string().default(''),
  /** Also plays the agents whose system prompt matches. */
  system: Pattern.optional(),
  /** Milliseconds between the pieces of a text. */
  paceMs: z.number().nonnegative().optional(),
  rules: z.array(Rule),
})
export type Scenario = z.infer<typeof Scenario>

/** By the agent that each plays; `default` plays everyone who has none. */
export const Scenarios = z.record(z.string().regex(/^[a-z][a-z0-9-]*$/), Scenario)
export type Scenarios = z.infer<typeof Scenarios>

/** Decodes with a schema. Throws `bad_input` that names `origin`, the place in it and what is wrong there. */
export function parseScenarios<S extends z.ZodType>(schema: S, value: unknown, origin: string): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new HiveError('bad_input', `${origin}: ${z.prettifyError(parsed.error)}`, { hint: 'see docs/demo.md' })
}
