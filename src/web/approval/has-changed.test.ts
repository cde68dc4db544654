import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Approval } from '../../wire/approvals.ts'
import { hasChanged } from './has-changed.ts'

const shown: Approval = {
  id: 7,
  agent: 'alice',
  kind: 'apply_commit',
  state: 'pending',
  sha: 'a'.repeat(40),
  base: 'b'.repeat(40),
  requester: 'manager',
  description: null,
  requestedAt: 1,
  decidedAt: null,
  endedAt: null,
  note: null,
  step: null,
  position: null,
  tag: null,
}

test('what is decided on is what was shown', () => {
  assert.equal(hasChanged(shown, { ...shown, requestedAt: 2 }), false)
  const stale: Approval = { ...shown, state: 'stale' }
  assert.equal(hasChanged(stale, stale), false, 'it was shown as one that cannot be approved')
  const others: (Approval | undefined)[] = [
    undefined,
    { ...shown, sha: 'c'.repeat(40) },
    { ...shown, base: null },
    { ...shown, state: 'stale' },
    { ...shown, state: 'approved' },
  ]
  assert.deepEqual(
    others.map((now) => hasChanged(shown, now)),
    others.map(() => true),
  )
})
