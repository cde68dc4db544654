import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLine, suggest } from './slash.ts'

test('a text is a message, without the space around it', () => {
  assert.deepEqual(parseLine(' hello\nyou '), { is: 'message', body: 'hello\nyou' })
  assert.deepEqual(parseLine(' \n'), { is: 'nothing' })
})

test('a slash line is a command, or wrong; it is never a message', () => {
  assert.deepEqual(parseLine('/model  opus '), { is: 'command', command: 'model', argument: 'opus' })
  assert.deepEqual(parseLine('/clear'), { is: 'view', command: 'clear' })
  assert.deepEqual(parseLine('/cancel'), { is: 'command', command: 'cancel', argument: '' })
  for (const text of ['/', '/etc/passwd', '/cancel now', '/constructor', '  /nope\nmore']) {
    assert.equal(parseLine(text).is, 'wrong', text)
  }
})

test('what is begun is suggested', () => {
  assert.deepEqual(suggest('/re'), ['resume', 'restart', 'rebuild'])
  assert.deepEqual(suggest('/model o'), [])
  assert.deepEqual(suggest('re'), [])
})

test('a word that is no command says which there are', () => {
  const line = parseLine('/nope')
  assert.match(
    line.is === 'wrong' ? line.problem : '',
    /no command \/nope; there are \/cancel \/compact \/new-session \/clear /,
  )
})
