import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HiveError } from '../wire/errors.ts'
import type { PermissionState } from '../wire/permissions.ts'
import type { DaemonLink } from './daemon-link.ts'
import { createPermissionDesk } from './permission-desk.ts'

const REQUEST = { id: 'r1', tool: 'Bash', input: { command: 'make' }, description: 'builds' }
const FOR_EVER = new AbortController().signal
type Answer = { state: PermissionState; message: string | null }

/** A desk over a daemon that gives these answers in turn, and what that was asked. */
function openDesk(...answers: (Answer | HiveError | Promise<Answer>)[]) {
  const calls: [op: string, input: Record<string, unknown>][] = []
  const link = {
    connected: async () => ({ hello: { epoch: 7 } }),
    call: async (op: string, input: Record<string, unknown>) => {
      calls.push([op, input])
      if (op === 'withdraw_permission') return {}
      const answer = await answers.shift()
      if (answer instanceof HiveError) throw answer
      return answer
    },
  } as unknown as DaemonLink
  return { ask: createPermissionDesk(link), calls }
}

describe('what the engine may not do by itself', () => {
  test('is asked for until it is decided, as the same call', async () => {
    const pending = { state: 'pending', message: null } as const
    const { ask, calls } = openDesk(pending, pending, { state: 'permitted', message: null })
    assert.deepEqual(await ask(REQUEST, FOR_EVER), { allowed: true })
    assert.equal(calls.length, 3)
    assert.ok(
      calls.every(([, { epoch, request, input }]) => epoch === 7 && request === 'r1' && input === '{"command":"make"}'),
    )
  })

  for (const [answer, words] of [
    [{ state: 'refused', message: 'not now' }, /the operator refused it: not now\. Go on/],
    [{ state: 'refused', message: null }, /the operator refused it\. Go on/],
    [{ state: 'expired', message: 'nobody decided within 60 s' }, /nobody decided within 60 s\. Go on/],
    [{ state: 'withdrawn', message: null }, /not asked for any more/],
    [new HiveError('too_many', '16 calls wait'), /the operator cannot be asked: 16 calls wait/],
  ] as const) {
    test(`is not done, and the model reads why: ${words}`, async () => {
      const verdict = await openDesk(answer).ask(REQUEST, FOR_EVER)
      assert.match(verdict.allowed ? '' : verdict.message, words)
    })
  }

  test('is not done when the daemon refuses the agent, and the model reads why', async () => {
    const refuse = () => Promise.reject(new HiveError('forbidden', 'this epoch is over'))
    const verdict = await createPermissionDesk({ connected: refuse, call: refuse })(REQUEST, FOR_EVER)
    assert.match(verdict.allowed ? '' : verdict.message, /cannot be asked: this epoch is over/)
  })

  test('is withdrawn when the engine does not ask any more', async () => {
    const ending = new AbortController()
    const { ask, calls } = openDesk(Promise.reject(new HiveError('cancelled', 'ask_permission was cancelled')))
    ending.abort()
    await assert.rejects(ask(REQUEST, ending.signal), { code: 'cancelled' })
    assert.deepEqual(calls.at(-1), ['withdraw_permission', { epoch: 7, request: 'r1' }])
  })

  test('is told cut when it is long, and says so', async () => {
    const { ask, calls } = openDesk({ state: 'permitted', message: null })
    await ask({ ...REQUEST, input: { command: 'x'.repeat(100_000) } }, FOR_EVER)
    const input = String(calls[0]?.[1].input)
    assert.equal(input.length, 64 * 1024)
    assert.match(input, /… \(cut: it has 100014 characters\)$/)
  })
})
