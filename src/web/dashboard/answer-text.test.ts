import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerText, choose, NO_DRAFT } from './answer-text.ts'

const OPTIONS = ['7 days', '30 days', 'forever']

test('one option takes the place of another, where one only may be chosen', () => {
  const draft = choose(choose(NO_DRAFT, 'forever', false), '7 days', false)
  assert.equal(answerText(draft, OPTIONS), '7 days')
})

test('several options stand in their order, before words', () => {
  const draft = choose(choose(NO_DRAFT, 'forever', true), '7 days', true)
  assert.equal(answerText({ ...draft, words: ' or so ' }, OPTIONS), '7 days, forever, or so')
  assert.equal(answerText(choose(draft, 'forever', true), OPTIONS), '7 days')
})

test('nothing chosen and nothing said is no answer', () => {
  assert.equal(answerText({ ...NO_DRAFT, words: '  ' }, OPTIONS), '')
})
