import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HiveError } from '../wire/errors.ts'
import type { Permission } from '../wire/permissions.ts'
import type { Question } from '../wire/questions.ts'
import { approvalOf } from './fake-approvals.ts'
import { FakeHive, SENT_AT } from './fake-hive.ts'
import { permissionOf, questionOf } from './fake-queue.ts'
import { createTestIo, runHive } from './run-in-test.ts'

/** A daemon with these questions and permissions, which it lets be decided. */
async function prepare({
  questions = [],
  permissions = [],
}: {
  questions?: Question[]
  permissions?: Permission[]
} = {}) {
  const hive = await FakeHive.open()
  const run = (args: string[], io = createTestIo()) => runHive([...args, '--run-dir', hive.runDir], { io })
  const errors = [{ table: 'questions', id: '9', problem: 'bad\x1b state' }]
  Object.assign(hive.also, {
    questions: () => ({ questions, errors: [] }),
    permission: ({ id }: { id: number }) => ({ permission: permissions.find((one) => one.id === id) }),
    answer: ({ id, answer }: { id: number; answer: string }) => ({
      question: questionOf(id, { state: 'answered', answer }),
    }),
    cancel_question: ({ id }: { id: number }) => ({ question: questionOf(id, { state: 'cancelled' }) }),
    permissions: () => ({ permissions, errors }),
    permit: ({ id }: { id: number }) => ({ permission: permissionOf(id, { state: 'permitted' }) }),
    refuse: ({ id }: { id: number }) => ({ permission: permissionOf(id, { state: 'refused' }) }),
    propose_permission: () => ({ approval: approvalOf(8) }),
  })
  return {
    hive,
    run,
    typing: (args: string[], stdin: string) => run(args, createTestIo({ isTTY: true, stdin })),
    inputs: (op: string) => hive.calls.filter(([name]) => name === op).map(([, input]) => input),
    [Symbol.asyncDispose]: () => hive[Symbol.asyncDispose](),
  }
}

const CHOICE = questionOf(3, { options: ['eu', 'us\x1b[2J', 'asia'], multi: true, deadlineAt: SENT_AT + 3_600_000 })

describe('hive questions', () => {
  test('who asks, since when, how long still, the options numbered, nothing that moves the cursor', async () => {
    const evil = 'Which <b>region</b>\x1b[2J\u202e?\n\tsecond line'
    const answered = questionOf(4, { state: 'answered', answer: 'a\nb', answeredAt: SENT_AT, asker: 'alice' })
    await using hive = await prepare({ questions: [{ ...CHOICE, question: evil }, answered] })
    assert.deepEqual(await hive.run(['questions', '--all', '--agent', 'alice', '-n', '5']), {
      code: 0,
      err: '',
      out: `\
3  manager asks, several may be chosen; asked 1m ago, 58m left
    Which <b>region</b>\\x1b[2J\\u202e?
    \tsecond line
    1  eu
    2  us\\x1b[2J
    3  asia

4  alice asks; answered 1m ago
    question 4
    → a⏎b
`,
    })
    assert.deepEqual(hive.inputs('questions'), [{ all: true, agent: 'alice', limit: 5 }])
    assert.equal((await hive.run(['questions', '-q'])).out, '3\n4\n')
    assert.deepEqual(JSON.parse((await hive.run(['questions', '--json'])).out)[1], answered)
  })

  test('says when there are none', async () => {
    await using hive = await prepare()
    assert.equal((await hive.run(['questions'])).out, 'no agent asks anything\n')
    assert.equal((await hive.run(['questions', '--all'])).out, 'no agent has asked anything\n')
  })
})

describe('hive answer', () => {
  test('a text, as an argument or from stdin', async () => {
    await using hive = await prepare({ questions: [CHOICE] })
    assert.equal((await hive.run(['answer', '3', 'the first'])).out, 'question 3 is answered: the first\n')
    await hive.run(['answer', '3', '-'], createTestIo({ stdin: 'a\nb\n' }))
    assert.deepEqual(hive.inputs('answer'), [
      { id: 3, answer: 'the first' },
      { id: 3, answer: 'a\nb' },
    ])
  })

  test('options by their numbers, and a text behind them', async () => {
    await using hive = await prepare({ questions: [CHOICE] })
    await hive.run(['answer', '3', '--option', '3', '--option', '1'])
    await hive.run(['answer', '3', 'if cheap', '--option', '1'])
    assert.deepEqual(
      hive.inputs('answer').map((input) => (input as { answer: string }).answer),
      ['asia, eu', 'eu, if cheap'],
    )
  })

  test('no option that there is not, and no second one where one is asked for', async () => {
    await using hive = await prepare({ questions: [CHOICE, questionOf(4, { options: ['a', 'b'] }), questionOf(5)] })
    for (const [args, problem] of [
      [['3', '--option', '4'], 'question 3 has no option 4'],
      [['5', '--option', '1'], 'question 5 has no option 1'],
      [['4', '--option', '1', '--option', '2'], 'question 4 takes one option only'],
    ] as const) {
      const { code, err } = await hive.run(['answer', ...args])
      assert.equal(code, 2)
      assert.ok(err.startsWith(`hive: ${problem}\n`), err)
    }
    assert.equal((await hive.run(['answer', '7', '--option', '1'])).code, 3)
    assert.deepEqual(hive.inputs('answer'), [])
  })

  test('is asked for on a terminal, where numbers are options', async () => {
    await using hive = await prepare({ questions: [CHOICE, questionOf(5)] })
    const { err } = await hive.typing(['answer', '3'], '1, 3\n')
    assert.match(err, /manager asks, several may be chosen;.*\n {4}question 3\n {4}1 {2}eu\n/)
    for (const typed of ['4\n', '2 is fine\n']) await hive.typing(['answer', '3'], typed)
    await hive.typing(['answer', '5'], '1\n')
    assert.deepEqual(
      hive.inputs('answer').map((input) => (input as { answer: string }).answer),
      ['eu, asia', '4', '2 is fine', '1'],
    )
    assert.equal((await hive.typing(['answer', '3'], '\n')).code, 130)
    const { code, err: said } = await hive.run(['answer', '3'])
    assert.equal(code, 2)
    assert.match(said, /no terminal to ask on\n.*--option/)
  })

  test('that comes second says what was answered first', async () => {
    await using hive = await prepare()
    hive.hive.failures.set('answer', new HiveError('conflict', 'question 3 is answered already: yes'))
    assert.deepEqual(await hive.run(['answer', '3', 'no']), {
      code: 5,
      out: '',
      err: 'hive: question 3 is answered already: yes\n',
    })
  })
})

test('hive cancel-question', async () => {
  await using hive = await prepare()
  assert.equal((await hive.run(['cancel-question', '3'])).out, 'question 3 is cancelled; manager is told so\n')
  assert.equal(JSON.parse((await hive.run(['cancel-question', '3', '--json'])).out).state, 'cancelled')
})

describe('hive permissions', () => {
  test('who wants to do what, and what can be done about it', async () => {
    const command = 'echo \x1b[2J; rm -rf x\nsecond'
    const long = { tool: 'Write', input: JSON.stringify({ content: 'x' }), pattern: null, description: 'a "file"' }
    const permissions = [
      permissionOf(1),
      permissionOf(2, { input: JSON.stringify({ command }), pattern: null }),
      permissionOf(3, { ...long, state: 'refused', decidedAt: SENT_AT, message: 'no\x1b' }),
      permissionOf(4, { input: JSON.stringify({ command: 'x\n'.repeat(40) }), state: 'expired', decidedAt: SENT_AT }),
    ]
    await using hive = await prepare({ permissions })
    const { out, err } = await hive.run(['permissions', '--all'])
    assert.equal(err, 'hive: warning: row 9 of questions cannot be read: bad\\x1b state\n')
    assert.ok(
      out.startsWith(`\
1  alice wants to use Bash; asked 1m ago, 58m left
    npm test --x
    hive permit 1
    hive permit 1 --always 'npm test *'
    hive refuse 1 -m '<why>'

2  alice wants to use Bash; asked 1m ago, 58m left
    echo \\x1b[2J; rm -rf x
    second
    hive permit 2
    hive refuse 2 -m '<why>'

3  alice wants to use Write; refused 1m ago
    {"content":"x"}
    "a "file""
    → no\\x1b

4  alice wants to use Bash; expired 1m ago
`),
      out,
    )
    assert.match(out, / {4}… and 11 lines more: hive permissions 4 has them\n$/)
    assert.equal((await hive.run(['permissions', '4'])).out.match(/^ {4}x$/gm)?.length, 40)
    assert.equal((await hive.run(['permissions', '-q'])).out, '1\n2\n3\n4\n')
    assert.equal(JSON.parse((await hive.run(['permissions', '--json'])).out).length, 4)
  })

  test('says when there are none', async () => {
    await using hive = await prepare()
    assert.equal((await hive.run(['permissions'])).out, 'no agent asks for a permission\n')
  })
})

describe('hive permit', () => {
  test('permits one use, and proposes nothing', async () => {
    await using hive = await prepare({ permissions: [permissionOf(1)] })
    assert.equal((await hive.run(['permit', '1'])).out, 'permission 1 is given, for this one use\n')
    assert.deepEqual([hive.inputs('permit'), hive.inputs('propose_permission')], [[{ id: 1 }], []])
  })

  test('proposes the pattern that is suggested, or another, beside', async () => {
    await using hive = await prepare({ permissions: [permissionOf(1)] })
    assert.deepEqual(await hive.run(['permit', '1', '--always']), {
      code: 0,
      out: 'approval 8 proposes npm test *: hive approve 8\n',
      err: 'hive: permission 1 is given, for this one use\n',
    })
    const { permission, approval } = JSON.parse((await hive.run(['permit', '1', '--always', 'npm *', '--json'])).out)
    assert.deepEqual([permission.state, approval.id], ['permitted', 8])
    assert.deepEqual(hive.inputs('propose_permission'), [
      { id: 1, pattern: 'npm test *' },
      { id: 1, pattern: 'npm *' },
    ])
  })

  test('permits nothing when no pattern is suggested and none is named', async () => {
    await using hive = await prepare({ permissions: [permissionOf(1, { pattern: null })] })
    const { code, err } = await hive.run(['permit', '1', '--always'])
    assert.equal(code, 2)
    assert.match(err, /no pattern would allow only the like of permission 1/)
    assert.deepEqual(hive.inputs('permit'), [])
  })
})

test('hive refuse: the agent is told why', async () => {
  await using hive = await prepare()
  assert.equal((await hive.run(['refuse', '1', '-m', 'not now'])).out, 'permission 1 is refused\n')
  assert.equal((await hive.run(['refuse', '1'])).code, 0)
  assert.deepEqual(hive.inputs('refuse'), [
    { id: 1, message: 'not now' },
    { id: 1, message: '' },
  ])
})
