import assert from 'node:assert/strict'
import { test } from 'node:test'
import { choosePagers } from './pager.ts'

test('PAGER is obeyed: a plain command as it is, anything else by a shell', () => {
  for (const [PAGER, argv] of [
    ['most', ['most']],
    [' less  -S +G ', ['less', '-S', '+G']],
    ['less -R | tee x', ['sh', '-c', 'less -R | tee x']],
    [`sh -c 'col -b'`, ['sh', '-c', `sh -c 'col -b'`]],
    ['LESS=S less', ['sh', '-c', 'LESS=S less']],
  ] as const) {
    assert.deepEqual(choosePagers({ PAGER }, true), [argv], PAGER)
  }
})

test('PAGER can say that none is wanted', () => {
  for (const PAGER of ['', ' ', 'cat']) assert.deepEqual(choosePagers({ PAGER }, true), [])
})

test('without it delta is tried first, where colours are wanted', () => {
  assert.deepEqual(choosePagers({}, true), [['delta'], ['less', '-FRX']])
  assert.deepEqual(choosePagers({}, false), [['less', '-FRX']])
})
