import { z } from 'zod'
import { AgentName } from './names.ts'
import type { Ops } from './op.ts'

const None = z.object({})
const TerminalId = z.uuid()
const Size = { cols: z.number().int().min(2).max(1000), rows: z.number().int().min(1).max(1000) }

/** Most bytes that one write takes and one read gives. */
export const MAX_TERMINAL_BYTES = 64 * 1024
const Bytes = z.base64().max(Math.ceil(MAX_TERMINAL_BYTES / 3) * 4)

/** Shells of the operator in agents' sandboxes; bytes are base64. */
export const terminalOps = {
  terminal_open: {
    about: 'Open a shell in the sandbox of an agent. It ends when nobody reads it for a minute.',
    input: z.strictObject({ agent: AgentName, ...Size }),
    output: z.object({ id: TerminalId }),
  },
  terminal_write: {
    about: 'Type into a terminal.',
    input: z.strictObject({ id: TerminalId, data: Bytes }),
    output: None,
  },
  terminal_resize: {
    about: 'Tell a terminal how large its window is.',
    input: z.strictObject({ id: TerminalId, ...Size }),
    output: None,
  },
  terminal_read: {
    about:
      'What a terminal wrote after a position, waiting for it if told to. What is before that position is forgotten.',
    input: z.strictObject({
      id: TerminalId,
      after: z.number().int().min(0),
      wait_seconds: z.number().min(0).max(60).default(0),
    }),
    output: z.object({
      data: Bytes,
      /** Of the end of `data`: where the next read goes on. */
      position: z.number().int(),
      /** Why nothing more comes; null: it goes on. */
      ended: z.string().max(200).nullable(),
    }),
  },
  terminal_close: {
    about: 'End a terminal, with all that runs in it.',
    input: z.strictObject({ id: TerminalId }),
    output: None,
  },
} satisfies Ops
