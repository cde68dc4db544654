import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HiveError } from '../../../wire/errors.ts'
import type { Call } from '../../api/call.ts'
import { type LinkState, TerminalLink } from './terminal-link.ts'

const SIZE = { cols: 80, rows: 24 }
const base64 = (text: string) => Buffer.from(text).toString('base64')
const unreachable = () => new HiveError('unreachable', 'the hive does not answer')

/** A link to a hive that answers reads one after the other as it is told, and what came of it. */
function linkTo(reads: readonly (object | Error)[], others: Partial<Record<string, () => unknown>> = {}) {
  const calls: [name: string, input: Record<string, unknown>][] = []
  const states: LinkState[] = []
  const lost: unknown[] = []
  const sleeps: number[] = []
  const left = [...reads]
  let shown = ''
  const call = (async (name: string, input: Record<string, unknown>) => {
    calls.push([name, input])
    if (others[name]) return others[name]()
    if (name === 'terminal_open') return { id: 'one' }
    if (name !== 'terminal_read') return {}
    const next = left.shift() ?? new Promise(() => {})
    if (next instanceof Error) throw next
    return next
  }) as Call
  const link = new TerminalLink({
    call,
    agent: 'alice',
    show: async (bytes) => {
      shown += Buffer.from(bytes).toString('utf8')
    },
    onState: (state) => states.push(state),
    onLost: (error) => lost.push(error),
    sleep: async (ms) => void sleeps.push(ms),
  })
  const inputsOf = (wanted: string) => calls.filter(([name]) => name === wanted).map(([, input]) => input)
  return { link, states, lost, sleeps, inputsOf, shown: () => shown }
}

const NEVER = new AbortController().signal
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('a terminal of the page', () => {
  test('shows what comes, says by its position what has arrived, and goes on after a cut', async () => {
    const { link, states, sleeps, inputsOf, shown } = linkTo([
      { data: base64('hel'), position: 3, ended: null },
      unreachable(),
      unreachable(),
      { data: base64('lo'), position: 5, ended: null },
      { data: base64('!'), position: 6, ended: 'the shell ended' },
    ])
    await link.run(SIZE, NEVER)
    assert.equal(shown(), 'hello!')
    assert.deepEqual(inputsOf('terminal_open'), [{ agent: 'alice', ...SIZE }])
    assert.deepEqual(
      inputsOf('terminal_read').map(({ after }) => after),
      [0, 3, 3, 3, 5],
    )
    assert.deepEqual(
      states.map(({ is }) => is),
      ['opening', 'open', 'cut', 'cut', 'open', 'ended'],
    )
    assert.deepEqual(states.at(-1), { is: 'ended', why: 'the shell ended' })
    assert.ok(sleeps.length === 2 && (sleeps[1] as number) > (sleeps[0] as number))
  })

  test('says why none came up, or why it is gone', async () => {
    const refused = linkTo([], {
      terminal_open: () => Promise.reject(new HiveError('forbidden', 'terminals are off', { hint: 'switch them on' })),
    })
    await refused.link.run(SIZE, NEVER)
    assert.deepEqual(refused.states.at(-1), { is: 'ended', why: 'terminals are off', hint: 'switch them on' })
    const gone = linkTo([new HiveError('not_found', 'there is no terminal one')])
    await gone.link.run(SIZE, NEVER)
    assert.equal(gone.states.at(-1)?.is, 'ended')
  })

  test('sends what is typed in order, one write at a time, and all of a long paste', async () => {
    const held: (() => void)[] = []
    const { link, inputsOf } = linkTo([], { terminal_write: () => new Promise<void>((resolve) => held.push(resolve)) })
    link.type(Buffer.from('nowhere'))
    void link.run(SIZE, NEVER)
    await turn()
    const paste = 'x'.repeat(40_000)
    for (const text of ['a', 'b', 'c', paste]) link.type(Buffer.from(text))
    for (let answered = 0; answered < held.length || answered === 0; answered++) {
      assert.equal(held.length, answered + 1)
      held[answered]?.()
      await turn()
    }
    const written = inputsOf('terminal_write').map(({ data }) => Buffer.from(String(data), 'base64').toString())
    assert.equal(written.join(''), `abc${paste}`)
    assert.equal(written[1], 'bc')
  })

  test('drops what comes after a write that failed, and says so', async () => {
    let fails = true
    const { link, lost, inputsOf } = linkTo([], { terminal_write: async () => fails && Promise.reject(unreachable()) })
    void link.run(SIZE, NEVER)
    await turn()
    for (const text of ['rm -r ', '/state/x', '\n']) link.type(Buffer.from(text))
    await turn()
    fails = false
    link.type(Buffer.from('ls'))
    await turn()
    assert.deepEqual(
      [lost.length, inputsOf('terminal_write').map(({ data }) => data)],
      [1, [base64('rm -r '), base64('ls')]],
    )
  })

  test('tells the last of several sizes', async () => {
    const held: (() => void)[] = []
    const { link, inputsOf } = linkTo([], { terminal_resize: () => new Promise<void>((resolve) => held.push(resolve)) })
    void link.run(SIZE, NEVER)
    await turn()
    for (const cols of [90, 100, 110]) link.resize({ cols, rows: 24 })
    held[0]?.()
    await turn()
    assert.deepEqual(
      inputsOf('terminal_resize').map(({ cols }) => cols),
      [90, 110],
    )
  })

  test('closes when its page is left, also while it is being opened', async () => {
    for (const isEarly of [true, false]) {
      const left = new AbortController()
      const { link, inputsOf } = linkTo([])
      if (isEarly) left.abort()
      void link.run(SIZE, left.signal)
      await turn()
      left.abort()
      await turn()
      assert.deepEqual(inputsOf('terminal_close'), [{ id: 'one' }])
    }
  })
})
