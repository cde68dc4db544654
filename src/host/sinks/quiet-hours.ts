import type { QuietHours } from '../../wire/sinks.ts'

/**
 * Whether a moment (unix ms) lies in the quiet hours, by the clock on the host's wall: an hour that a change of summer time
 * skips or repeats is as quiet as its name says.
 */
export function isQuietAt(at: number, hours: QuietHours | undefined): boolean {
  if (!hours) return false
  const [from, to] = [hours.from, hours.to].map(minutesOf) as [number, number]
  const date = new Date(at)
  const minutes = date.getHours() * 60 + date.getMinutes()
  return from <= to ? minutes >= from && minutes < to : minutes >= from || minutes < to
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return hours * 60 + minutes
}
