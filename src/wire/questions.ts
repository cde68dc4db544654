import { z } from 'zod'
import { AgentName } from './names.ts'
import type { Ops } from './op.ts'
import { Undecodable } from './undecodable.ts'

const QuestionId = z.number().int().positive()
const ById = z.strictObject({ id: QuestionId })

export const QuestionState = z.enum(['open', 'answered', 'expired', 'cancelled'])
export type QuestionState = z.infer<typeof QuestionState>

/** What an answer is when nobody gave one in time, or it was taken back. */
export const EXPIRED_ANSWER = '[expired]'
export const CANCELLED_ANSWER = '[cancelled]'

/** Something that an agent wants to know of the operator. Kept for ever. */
export const Question = z.object({
  id: QuestionId,
  asker: z.string(),
  question: z.string(),
  /** Suggested answers; free text is always possible. */
  options: z.array(z.string()),
  /** Several of them may be chosen. */
  multi: z.boolean(),
  state: QuestionState,
  askedAt: z.number(),
  /** Unix milliseconds; null: it waits for ever. */
  deadlineAt: z.number().nullable(),
  answer: z.string().nullable(),
  answeredAt: z.number().nullable(),
})
export type Question = z.infer<typeof Question>

const Ask = z.strictObject({
  question: z.string().min(1).max(8192).describe('what you want to know, with what the operator needs to decide it'),
  options: z
    .array(z.string().min(1).max(500))
    .max(20)
    .optional()
    .describe('suggested answers; free text is always possible'),
  multi: z.boolean().optional().describe('several options may be chosen'),
  ttl_seconds: z
    .number()
    .int()
    .min(10)
    .max(30 * 24 * 3600)
    .optional()
    .describe('without an answer by then it ends as [expired]; absent: it waits for ever'),
})

/** The manager has these; another agent when its configuration says `askOperator`. */
export const agentQuestionOps = {
  ask_operator: {
    about:
      'Ask the operator. Returns at once; the answer comes later as an event `operator_answered`, which wakes you: end your turn, do not poll.',
    input: Ask.extend({ /** Retries with the same key ask once. */ key: z.string().min(1).max(128).optional() }),
    output: ById,
    tool: Ask,
  },
  cancel_question: {
    about: 'Take back a question of yours that the operator has not answered.',
    input: ById,
    output: z.object({}),
    tool: ById,
  },
} satisfies Ops

export const hostQuestionOps = {
  questions: {
    about: 'List questions to the operator, oldest first.',
    input: z.strictObject({
      /** Also those that have ended. */
      all: z.boolean().default(false),
      agent: AgentName.optional(),
      limit: z.number().int().min(1).max(1000).default(200),
    }),
    output: z.object({ questions: z.array(Question), errors: z.array(Undecodable) }),
  },
  answer: {
    about: 'Answer a question; its asker is woken with it. The first answer counts.',
    /** With the beginning of the question it fits a message. */
    input: ById.extend({
      answer: z
        .string()
        .min(1)
        .max(16 * 1024),
    }),
    output: z.object({ question: Question }),
  },
  cancel_question: {
    about: 'End a question without an answer; its asker is told so.',
    input: ById,
    output: z.object({ question: Question }),
  },
} satisfies Ops
