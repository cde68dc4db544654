import { z } from 'zod'
import { AgentName, SubAgentName } from './names.ts'
import type { Ops } from './op.ts'

const None = z.object({})

/** What is left of a destroyed agent. */
export const Tombstone = z.object({
  name: z.string(),
  /** Unix milliseconds; null: destroyed by an older hive, which kept no date. */
  destroyedAt: z.number().nullable(),
  /** Bytes of notes, login and repository on disk; null: it could not be measured. */
  bytes: z.number().nullable(),
  /** Files of a login are there, so that it needs none when it is revived. */
  hasLogin: z.boolean(),
})
export type Tombstone = z.infer<typeof Tombstone>

/** Whose output can be read: an agent's container, or one of the hive's own processes. */
export const LogUnit = z.union([z.enum(['gateway', 'model']), AgentName])
export type LogUnit = z.infer<typeof LogUnit>

export const housekeepingOps = {
  logs: {
    about: 'The last lines that a container, the gateway or the scripted model wrote to stdout and stderr.',
    input: z.strictObject({ unit: LogUnit, lines: z.number().int().min(1).max(5000).default(200) }),
    output: z.object({ lines: z.array(z.object({ stream: z.enum(['stdout', 'stderr']), text: z.string() })) }),
  },
  tombstones: {
    about: 'List destroyed agents of which something is left.',
    input: z.strictObject({}),
    output: z.object({ tombstones: z.array(Tombstone) }),
  },
  revive: {
    about: 'Bring a destroyed agent back, with its notes, login and configuration.',
    input: z.strictObject({ name: SubAgentName }),
    output: None,
  },
  purge: {
    about: 'Remove for good what is left of a destroyed agent. `confirm` repeats its name.',
    input: z.strictObject({ name: SubAgentName, confirm: z.string() }),
    output: None,
  },
  backup: {
    about:
      'Write a consistent copy of everything that the daemon keeps into a new directory. Agents work on meanwhile.',
    input: z.strictObject({ /** Absolute; must not exist. */ directory: z.string().min(1).max(4096) }),
    output: z.object({ directory: z.string(), bytes: z.number() }),
  },
  notify_test: {
    about: 'Send a test notification to every sink of the config file, and say how each took it.',
    input: z.strictObject({}),
    output: z.object({ sinks: z.array(z.object({ sink: z.string(), problem: z.string().nullable() })) }),
  },
} satisfies Ops
