import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../wire/errors.ts'
import { FakeHive, SENT_AT } from './fake-hive.ts'
import { runHive } from './run-in-test.ts'

async function prepare() {
  process.env.TZ = 'UTC'
  const hive = await FakeHive.open()
  return {
    hive,
    run: (...args: string[]) => runHive([...args, '--run-dir', hive.runDir]),
    inputs: (op: string) => hive.calls.filter(([name]) => name === op).map(([, input]) => input),
    [Symbol.asyncDispose]: () => hive[Symbol.asyncDispose](),
  }
}

test('schedules: what is due next, and was last', async () => {
  await using started = await prepare()
  const { hive, run, inputs } = started
  const daily = { agent: 'alice', cron: '30 15 * * *', message: 'count \x1b[2J\nthem', nextAt: SENT_AT, lastAt: null }
  const schedules = [daily, { ...daily, agent: 'bob', lastAt: SENT_AT - 86_400_000 }]
  Object.assign(hive.also, { schedules: () => ({ schedules }) })
  assert.deepEqual(await run('schedules'), {
    code: 0,
    err: '',
    out: `\
AGENT  CRON         NEXT                 LAST                 MESSAGE
alice  30 15 * * *  2026-11-21 14:03:22  -                    count \\x1b[2J…
bob    30 15 * * *  2026-11-21 14:03:22  2026-11-20 14:03:22  count \\x1b[2J…
`,
  })
  assert.deepEqual(JSON.parse((await run('schedules', '--agent', 'alice', '-n', '3', '--json')).out), schedules)
  assert.deepEqual(inputs('schedules'), [{ limit: 200 }, { agent: 'alice', limit: 3 }])
  Object.assign(hive.also, { schedules: () => ({ schedules: [] }) })
  assert.match((await run('schedules')).out, /^no configuration that is deployed has schedules/)
})

test('reminders: what agents have left for themselves, and rows that cannot be read', async () => {
  await using started = await prepare()
  const { hive, run, inputs } = started
  const reminders = [{ id: 7, agent: 'alice', message: 'look again', setAt: SENT_AT, dueAt: SENT_AT + 60_000 }]
  const errors = [{ table: 'reminders', id: '8', problem: 'no number' }]
  Object.assign(hive.also, { reminders: () => ({ reminders, errors }) })
  const { code, out, err } = await run('reminders')
  assert.equal(code, 0)
  assert.equal(
    out,
    `\
ID  AGENT  DUE                  SET                  MESSAGE
7   alice  2026-11-21 14:04:22  2026-11-21 14:03:22  look again
`,
  )
  assert.match(err, /row 8 of reminders cannot be read: no number/)
  assert.equal((await run('reminders', '-q')).out, '7\n')
  assert.deepEqual(JSON.parse((await run('reminders', '--agent', 'alice', '--json')).out), reminders)
  assert.deepEqual(inputs('reminders').at(-1), { agent: 'alice', limit: 200 })
  Object.assign(hive.also, { reminders: () => ({ reminders: [], errors: [] }) })
  assert.match((await run('reminders')).out, /^no agent has left a reminder/)
})

test('cancel-reminder: takes one back, or says that there is none', async () => {
  await using started = await prepare()
  const { hive, run, inputs } = started
  Object.assign(hive.also, { cancel_reminder: () => ({}) })
  assert.deepEqual(await run('cancel-reminder', '7'), { code: 0, out: 'reminder 7 is taken back\n', err: '' })
  assert.deepEqual(JSON.parse((await run('cancel-reminder', '7', '--json')).out), { id: 7 })
  assert.deepEqual(inputs('cancel_reminder'), [{ id: 7 }, { id: 7 }])
  hive.failures.set('cancel_reminder', new HiveError('not_found', 'there is no reminder 9'))
  const { code, err } = await run('cancel-reminder', '9')
  assert.deepEqual([code, err], [3, 'hive: there is no reminder 9\n'])
  assert.equal((await run('cancel-reminder', 'x')).code, 2)
})
