import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HiveError } from '../../wire/errors.ts'
import type { HelperEvent } from '../../wire/events.ts'
import { AuditLog } from '../audit-log.ts'
import { openHiveDatabase } from '../database.ts'
import { Questions } from './questions.ts'

const ASKED = { question: 'which?', options: ['a', 'b'], multi: false, ttlSeconds: undefined, key: undefined }

/** Questions of agents of whom `gone` are not there any more, at a time that stands. */
function openQuestions() {
  const db = openHiveDatabase(':memory:')
  const told = new Map<string, HelperEvent>()
  const gone = new Set<string>()
  const hive = {
    db,
    audit: new AuditLog(db),
    told,
    gone,
    now: 1_000,
    /** Thrown by every message. */
    failure: undefined as HiveError | undefined,
    changes: 0,
    /** As a daemon that starts finds them. */
    open: () =>
      new Questions({
        db,
        audit: hive.audit,
        registry: { has: (name) => !gone.has(name) },
        broker: {
          async tell(agent, event, key) {
            if (hive.failure) throw hive.failure
            told.set(`${agent} ${key}`, event)
          },
        },
        mayAsk: (agent) => agent === 'alice',
        onChange: () => {
          hive.changes += 1
        },
        passes: () => {},
        now: () => hive.now,
      }),
    [Symbol.dispose]: () => db.close(),
  }
  return hive
}

const answers = (told: ReadonlyMap<string, HelperEvent>) =>
  [...told].map(([key, event]) => [key, event.event === 'operator_answered' && event.answer])

describe('a question', () => {
  test('is asked once for each key, and listed until it is answered', async () => {
    using hive = openQuestions()
    const questions = hive.open()
    const [first, again] = await Promise.all([1, 2].map(() => questions.ask('alice', { ...ASKED, key: 'k' })))
    assert.equal(first, again)
    const other = await questions.ask('manager', ASKED)
    assert.deepEqual(
      questions.open().questions.map(({ id, asker, options }) => [id, asker, options]),
      [
        [first, 'alice', ['a', 'b']],
        [other, 'manager', ['a', 'b']],
      ],
    )
    await questions.answer(first as number, 'a')
    assert.deepEqual(answers(hive.told), [[`alice question-${first}`, 'a']])
    assert.equal(questions.open().questions.length, 1)
    assert.equal(questions.list({ all: true, agent: 'alice', limit: 10 }).questions[0]?.answer, 'a')
    assert.equal(questions.nextAt(), undefined)
    const [entry] = hive.audit.list({ limit: 10 }).entries
    assert.deepEqual([entry?.verb, entry?.actor, entry?.agent], ['answer', 'operator', 'alice'])
  })

  test('whose asker cannot be told stays due, also for the next daemon, and is told once', async () => {
    using hive = openQuestions()
    const questions = hive.open()
    const id = await questions.ask('manager', ASKED)
    hive.failure = new HiveError('inbox_full', 'full')
    assert.equal((await questions.answer(id, 'b')).state, 'answered')
    assert.equal(questions.nextAt(), 0)
    assert.deepEqual(await questions.tellDue(hive.now), [hive.failure])
    hive.failure = undefined
    const next = hive.open()
    assert.deepEqual(await next.tellDue(hive.now), [])
    assert.deepEqual(answers(hive.told), [[`manager question-${id}`, 'b']])
    hive.told.clear()
    await next.tellDue(hive.now)
    assert.deepEqual(answers(hive.told), [])
  })

  test('expires at its time, whoever is late', async () => {
    using hive = openQuestions()
    const questions = hive.open()
    const id = await questions.ask('manager', { ...ASKED, ttlSeconds: 10 })
    assert.equal(questions.nextAt(), 11_000)
    hive.now = 10_999
    assert.deepEqual(await questions.tellDue(hive.now), [])
    assert.equal(questions.open().questions.length, 1)
    hive.now = 11_000
    // Before the alarm has looked.
    await assert.rejects(questions.answer(id, 'late'), { code: 'conflict', message: /expired/ })
    await questions.tellDue(hive.now)
    assert.deepEqual(answers(hive.told), [[`manager question-${id}`, '[expired]']])
    await assert.rejects(questions.cancel(id), { code: 'conflict' })
  })

  test('is its asker’s own to take back, who is not told', async () => {
    using hive = openQuestions()
    const questions = hive.open()
    const id = await questions.ask('manager', ASKED)
    await assert.rejects(questions.takeBack('alice', id), { code: 'not_found' })
    await questions.takeBack('manager', id)
    await assert.rejects(questions.takeBack('manager', id), { code: 'conflict' })
    await questions.tellDue(hive.now)
    assert.deepEqual(answers(hive.told), [])
    assert.equal(questions.list({ all: true, limit: 10 }).questions[0]?.answer, '[cancelled]')
  })

  test('of an agent that is gone ends, and nobody is told', async () => {
    using hive = openQuestions()
    const questions = hive.open()
    const [answered, open] = [await questions.ask('alice', ASKED), await questions.ask('alice', ASKED)]
    hive.failure = new HiveError('inbox_full', 'full')
    await questions.answer(answered, 'a')
    hive.failure = undefined
    hive.gone.add('alice')
    await questions.cancelAllOf('alice')
    await assert.rejects(questions.answer(open, 'a'), { code: 'conflict', message: /cancelled/ })
    await questions.tellDue(hive.now)
    assert.deepEqual([answers(hive.told), questions.nextAt()], [[], undefined])
  })

  test('is refused to those who may not ask, and to those who ask too much', async () => {
    using hive = openQuestions()
    const questions = hive.open()
    await assert.rejects(questions.ask('bob', ASKED), { code: 'forbidden' })
    const long = { ...ASKED, question: 'x'.repeat(8_000) }
    for (let count = 0; count < 8; count += 1) await questions.ask('alice', long)
    await assert.rejects(questions.ask('alice', long), { code: 'too_many', message: /65536 characters/ })
    for (let count = 0; count < 12; count += 1) await questions.ask('alice', ASKED)
    await assert.rejects(questions.ask('alice', ASKED), { code: 'too_many', message: /20 questions/ })
    for (const { id } of questions.open().questions) await questions.takeBack('alice', id)
    for (let count = 0; count < 20; count += 1) await questions.ask('alice', ASKED)
    for (const { id } of questions.open().questions) await questions.takeBack('alice', id)
    // What is taken back is kept too.
    await assert.rejects(questions.ask('alice', ASKED), { code: 'rate_limited' })
    await questions.ask('manager', ASKED)
  })

  test('that cannot be read is listed as such, and keeps no other from being told', async () => {
    using hive = openQuestions()
    const questions = hive.open()
    const [bad, good] = [await questions.ask('manager', ASKED), await questions.ask('manager', ASKED)]
    await hive.db.write(() => hive.db.run(`UPDATE questions SET options = '{' WHERE id = ?`, bad))
    const { questions: found, errors } = questions.open()
    assert.deepEqual(
      [found.map(({ id }) => id), errors.map(({ table, id }) => [table, id])],
      [[good], [['questions', String(bad)]]],
    )
    await assert.rejects(questions.answer(bad, 'x'), { code: 'internal', message: /is not JSON/ })
    await questions.answer(good, 'x')
    await hive.db.write(() => hive.db.run(`UPDATE questions SET state = 'cancelled' WHERE id = ?`, bad))
    assert.deepEqual([await questions.tellDue(hive.now), questions.nextAt()], [[], undefined])
  })
})
