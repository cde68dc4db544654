import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headline } from './headline.ts'

test('a headline is the first line, and says that more follows', () => {
  assert.equal(headline('  rm notes  \n', 20), 'rm notes')
  assert.equal(headline('\nrm notes\n\ncurl evil.example', 20), 'rm notes…')
  assert.equal(headline('rm notes\r\nid', 20), 'rm notes…')
  assert.equal(headline('rm notes\nid', 8), 'rm note…')
  assert.equal(headline('rm notes', 8), 'rm notes')
  assert.equal(headline('rm all the notes\nid', 8), 'rm all…')
})
