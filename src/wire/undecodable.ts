import { z } from 'zod'

/** A row that could not be decoded: shown, never dropped. */
export const Undecodable = z.object({ table: z.string(), id: z.string(), problem: z.string() })
export type Undecodable = z.infer<typeof Undecodable>
