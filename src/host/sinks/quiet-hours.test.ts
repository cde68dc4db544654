import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isQuietAt } from './quiet-hours.ts'

const tz = process.env.TZ
before(() => {
  process.env.TZ = 'Europe/Berlin'
})
after(() => {
  if (tz === undefined) delete process.env.TZ
  else process.env.TZ = tz
})

const quiet = (from: string, to: string) => (at: string) => isQuietAt(Date.parse(at), { from, to })

test('by the clock of the host, also over midnight', () => {
  const night = quiet('22:00', '07:00')
  const times = ['20:59', '21:00', '23:30', '05:59', '06:00'].map((time) => night(`2026-01-10T${time}:00Z`))
  assert.deepEqual(times, [false, true, true, true, false], 'an hour before UTC')
  const noon = quiet('12:00', '13:00')
  assert.deepEqual(
    ['10:59', '11:00', '11:59', '12:00'].map((time) => noon(`2026-01-10T${time}:00Z`)),
    [false, true, true, false],
  )
  assert.equal(isQuietAt(Date.parse('2026-01-10T23:00:00Z'), undefined), false)
})

test('an end in the hour that summer time skips comes with the next one, and an hour that is repeated is quiet twice', () => {
  const spring = quiet('22:00', '02:30')
  // 02:00 becomes 03:00 at 01:00 UTC.
  assert.deepEqual(
    ['00:59', '01:00'].map((time) => spring(`2026-03-29T${time}:00Z`)),
    [true, false],
  )
  const autumn = quiet('22:00', '02:30')
  // 03:00 becomes 02:00 at 01:00 UTC.
  assert.deepEqual(
    ['00:29', '00:31', '01:29', '01:31'].map((time) => autumn(`2026-10-25T${time}:00Z`)),
    [true, false, true, false],
  )
})
