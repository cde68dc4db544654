import { z } from 'zod'
import { AgentName } from './names.ts'
import type { Ops } from './op.ts'
import { Undecodable } from './undecodable.ts'

const ReminderId = z.number().int().positive()
/** Most rows of one answer, and most characters of a message in them: it travels in one line. */
const MAX_LISTED = 500
export const LISTED_CHARACTERS = 300
const Listed = z.strictObject({
  agent: AgentName.optional(),
  limit: z.number().int().min(1).max(MAX_LISTED).default(200),
})
const ById = z.strictObject({ id: ReminderId })

/** A message that an agent has left for itself. */
export const Reminder = z.object({
  id: ReminderId,
  agent: z.string(),
  message: z.string(),
  /** Unix milliseconds. */
  setAt: z.number(),
  dueAt: z.number(),
})
export type Reminder = z.infer<typeof Reminder>

/** An entry of `schedules` in a deployed agent.json. */
export const ScheduleView = z.object({
  agent: z.string(),
  cron: z.string(),
  message: z.string(),
  /** Unix milliseconds. */
  nextAt: z.number(),
  lastAt: z.number().nullable(),
})
export type ScheduleView = z.infer<typeof ScheduleView>

/** Seconds that a reminder may lie ahead. */
export const LONGEST_REMINDER_SECONDS = 366 * 24 * 3600
const Remind = z.strictObject({
  message: z.string().min(1).max(4096).describe('what you want to be told then; you will not remember why you asked'),
  in_seconds: z.number().int().min(1).max(LONGEST_REMINDER_SECONDS).optional().describe('from now'),
  at: z.string().max(64).optional().describe('a time such as 2026-11-30T09:00:00Z; without a zone it is the host’s'),
})

export const agentScheduleOps = {
  remind: {
    about:
      'Be woken later with a message of your own: give in_seconds or at. It survives restarts; the wake-up is an event `reminder`.',
    input: Remind.extend({ /** Retries with the same key remind once. */ key: z.string().min(1).max(128).optional() }),
    output: z.object({ id: ReminderId, at: z.string() }),
    tool: Remind,
  },
  reminders: {
    about: 'List your reminders that are not due yet, long ones cut.',
    input: z.strictObject({}),
    output: z.object({ reminders: z.array(Reminder) }),
    tool: z.strictObject({}),
  },
  cancel_reminder: { about: 'Take back a reminder of yours.', input: ById, output: z.object({}), tool: ById },
} satisfies Ops

export const hostScheduleOps = {
  reminders: {
    about: 'List reminders that are not due yet, the next first, long ones cut.',
    input: Listed,
    output: z.object({ reminders: z.array(Reminder), errors: z.array(Undecodable) }),
  },
  cancel_reminder: { about: 'Take back a reminder of an agent.', input: ById, output: z.object({}) },
  schedules: {
    about: 'List the schedules of the deployed configurations, the next first, long messages cut.',
    input: Listed,
    output: z.object({ schedules: z.array(ScheduleView) }),
  },
} satisfies Ops
