import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isCovered, patternFor } from './bash-pattern.ts'

const patternOf = (command: string) => patternFor('Bash', JSON.stringify({ command, description: 'x' }))

describe('the pattern that would allow a command and the like', () => {
  for (const [command, pattern] of [
    ['npm test --x', 'npm test *'],
    ['npm test', 'npm test'],
    ['make', 'make'],
    ['  make  ', 'make'],
    ['rm -rf build', 'rm *'],
    ['touch notes.txt', 'touch *'],
    ['git commit -m "a message"', 'git commit *'],
    ['/usr/bin/npm run build', '/usr/bin/npm run *'],
  ] as const) {
    test(`${command} → ${pattern}`, () => assert.equal(patternOf(command), pattern))
  }

  for (const command of [
    '',
    'npm test; rm -rf /',
    'npm test && npm publish',
    'npm test | tee log',
    'npm test > log',
    'echo $(id)',
    'echo `id`',
    'echo "$HOME"',
    'npm test\nid',
    'npm test &',
    'ls *.ts',
    'X=1 npm test',
    '-x',
    '"npm" test',
    'sh -c id',
    '/bin/bash script',
    'sudo npm test',
    'env npm test',
    'xargs rm',
    'python3 script.py',
    'node --eval 1',
    `${'x'.repeat(257)} y`,
  ]) {
    test(`${JSON.stringify(command.slice(0, 40))} has none`, () => assert.equal(patternOf(command), null))
  }

  test('is for Bash only, and for an input that is whole', () => {
    assert.equal(patternFor('Write', '{"command":"npm test"}'), null)
    assert.equal(patternFor('Bash', '{"command":"npm te… (cut: it has 70000 characters)'), null)
    assert.equal(patternFor('Bash', '{"command":7}'), null)
  })
})

test('a pattern is covered by itself, by one of its first words, and by everything', () => {
  for (const patterns of [['npm test *'], ['npm *'], ['npm:*'], ['*'], ['git *', 'npm *']]) {
    assert.ok(isCovered(patterns, 'npm test *'), patterns.join())
  }
  assert.ok(isCovered(['npm *'], 'npm'))
  for (const patterns of [[], ['npm test'], ['npm run *'], ['np *'], ['npm test -- *']]) {
    assert.ok(!isCovered(patterns, 'npm test *'), patterns.join())
  }
})
