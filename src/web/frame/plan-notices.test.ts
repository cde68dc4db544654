import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Need } from '../../wire/things.ts'
import { noticeStanding, planNotices } from './plan-notices.ts'

const failed = (agent: string, detail = 'it ends'): Need => ({
  kind: 'failed',
  key: `failed:${agent}`,
  since: 1,
  link: `/a/${agent}`,
  actions: [],
  agent,
  detail,
})
const many = (count: number): Need[] => Array.from({ length: count }, (_, n) => failed(`agent${n}`))

test('what is new is told, by its key as the tag; what was there is not', () => {
  const { show, close } = planNotices([failed('alice')], [failed('alice'), failed('bob')], [])
  assert.deepEqual(show, [
    { tag: 'failed:bob', title: 'bob failed', body: 'it ends', link: '/a/bob', keys: ['failed:bob'] },
  ])
  assert.deepEqual(close, [])
})

test('what changes while it waits is not told again; what comes back is', () => {
  assert.deepEqual(planNotices([failed('bob')], [failed('bob', 'again')], []).show, [])
  assert.equal(planNotices([], [failed('bob')], []).show.length, 1)
})

test('a notice goes with its need', () => {
  const { show } = planNotices([], [failed('alice'), failed('bob')], [])
  assert.deepEqual(planNotices([failed('alice'), failed('bob')], [failed('bob')], show), {
    show: [],
    close: ['failed:alice'],
  })
})

test('of many there is one notice, which stays as long as one of them waits', () => {
  const { show } = planNotices([], many(9), [])
  assert.deepEqual(
    show.map(({ tag, title, link }) => [tag, title, link]),
    [['needs', '9 things wait for you', '/']],
  )
  assert.deepEqual(planNotices(many(9), many(1), show).close, [])
  assert.deepEqual(planNotices(many(1), [], show).close, ['needs'])
})

test('one more than fits beside those that are shown makes one of all', () => {
  const { show } = planNotices([], many(4), [])
  assert.equal(show.length, 4)
  assert.deepEqual(
    planNotices(many(4), many(5), show).show.map(({ tag }) => tag),
    ['needs'],
  )
})

test('what an agent hides in its words is spelled out, and cut', () => {
  const [notice] = planNotices([], [failed('bob', `a\u202eb${'x'.repeat(5000)}`)], []).show
  assert.match(notice?.body ?? '', /^a<U\+202E>bx+…$/)
  assert.ok((notice?.body.length ?? 0) < 300)
})

test('without a secure context it does not matter what the browser says', () => {
  assert.equal(noticeStanding(false, 'granted'), 'insecure')
  assert.equal(noticeStanding(true, undefined), 'no_api')
  assert.equal(noticeStanding(true, 'default'), 'not_asked')
  assert.equal(noticeStanding(true, 'denied'), 'denied')
})
