import { z } from 'zod'
import { MANAGER } from '../../wire/names.ts'
import type { Parking } from './store.ts'

/** What the manager was told last of the parking of an inbox: kept until a turn of that agent ends well. */
export const ParkNews = z.object({
  reason: z.string(),
  /** Unix ms, as far as it was known: when a quota frees up, or another day begins. */
  freesAt: z.number().optional(),
})
export type ParkNews = z.infer<typeof ParkNews>

/** What frees up this much later than was told is another matter; agents say when their quotas do, so it also bounds what they can make of it. */
const LATER_MS = 300_000

/** What the manager is to be told now that an inbox is parked; undefined: nothing that it has not been told, or that is not told so. */
export function newsOfPark(agent: string, parking: Parking, told: ParkNews | undefined): ParkNews | undefined {
  const { reason, until, resetsAt } = parking
  // Of logins it hears otherwise.
  if (agent === MANAGER || reason === 'login') return undefined
  const freesAt = reason === 'quota' ? resetsAt : until
  const isLater = freesAt !== undefined && freesAt > (told?.freesAt ?? 0) + LATER_MS
  return reason !== told?.reason || isLater ? { reason, freesAt } : undefined
}
