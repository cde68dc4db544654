import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { nextDue } from './cron.ts'

/** The next times after `from`, as UTC. */
function times(expression: string, from: string, count: number, timeZone = 'Europe/Berlin'): string[] {
  const found: string[] = []
  let at = Date.parse(from)
  for (let n = 0; n < count; n += 1) {
    at = nextDue(expression, at, timeZone)
    found.push(new Date(at).toISOString().replace(':00.000Z', 'Z'))
  }
  return found
}
const refused = (expression: string, message: RegExp) =>
  assert.throws(() => nextDue(expression, 0, 'UTC'), { code: 'bad_input', message })

describe('nextDue', () => {
  test('is after the time given, never that time itself', () => {
    assert.deepEqual(times('* * * * *', '2026-06-01T10:00:00Z', 2), ['2026-06-01T10:01Z', '2026-06-01T10:02Z'])
    assert.deepEqual(times('0 12 * * *', '2026-06-01T10:00:00Z', 1), ['2026-06-02T10:00Z'])
    assert.deepEqual(times('0 12 * * *', '2026-06-01T09:59:59.999Z', 1), ['2026-06-01T10:00Z'])
  })

  test('a time of day that is skipped in spring is due when the clocks go forward, also one of a list', () => {
    assert.deepEqual(times('30 2 * * *', '2026-03-28T12:00:00Z', 2), ['2026-03-29T01:00Z', '2026-03-30T00:30Z'])
    assert.deepEqual(times('30 2,14 * * *', '2026-03-28T22:00:00Z', 2), ['2026-03-29T01:00Z', '2026-03-29T12:30Z'])
  })

  test('a time of day that comes twice in autumn is due the first time', () => {
    assert.deepEqual(times('30 2 * * *', '2026-10-24T12:00:00Z', 2), ['2026-10-25T00:30Z', '2026-10-26T01:30Z'])
  })

  test('intervals go on through both', () => {
    const half = '*/30 * * * *'
    const spring = ['2026-03-29T00:30Z', '2026-03-29T01:00Z', '2026-03-29T01:30Z']
    assert.deepEqual(times(half, '2026-03-29T00:00:00Z', 3), spring)
    const autumn = ['2026-10-25T00:00Z', '2026-10-25T00:30Z', '2026-10-25T01:00Z', '2026-10-25T01:30Z']
    assert.deepEqual(times(half, '2026-10-24T23:30:00Z', 4), autumn)
  })

  test('the 29th of February is due in leap years', () => {
    assert.deepEqual(times('0 0 29 2 *', '2026-01-01T00:00:00Z', 2, 'UTC'), ['2028-02-29T00:00Z', '2032-02-29T00:00Z'])
  })

  test('a day of the month and a weekday: either is enough', () => {
    assert.deepEqual(times('0 9 13 * fri', '2026-04-01T00:00:00Z', 3, 'UTC'), [
      '2026-04-03T09:00Z',
      '2026-04-10T09:00Z',
      '2026-04-13T09:00Z',
    ])
    assert.deepEqual(times('0 9 L * *', '2026-04-01T00:00:00Z', 1, 'UTC'), ['2026-04-30T09:00Z'])
    assert.deepEqual(times('0 9 * * 7', '2026-04-01T00:00:00Z', 1, 'UTC'), ['2026-04-05T09:00Z'])
  })

  test('says what is wrong', () => {
    refused('60 * * * *', /^Invalid value for minute: 60$/)
    refused('* * * *', /five/)
    refused('0 * * * * *', /exactly 5 parts/)
    refused('a b c d e', /illegal characters/)
    refused('*/0 * * * *', /stepping/)
    refused('? 9 * * *', /means nothing/)
    refused('0 0 30 2 *', /^that day never comes: 0 0 30 2 \*$/)
  })
})
