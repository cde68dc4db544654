import { spanText } from './time-text.ts'

/** How long ago something was asked, and how long it waits still: `asked 5m ago, 55m left`. */
export function waitingText(
  { askedAt, deadlineAt }: { askedAt: number; deadlineAt: number | null },
  now: number,
): string {
  const asked = `asked ${spanText(now - askedAt)} ago`
  return deadlineAt === null ? asked : `${asked}, ${spanText(deadlineAt - now)} left`
}
