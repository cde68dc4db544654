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
    ['rm -rf build', 'rm -rf build'],
    ['touch notes.txt', 'touch notes.txt'],
    ['git -C /x status', 'git -C /x status'],
    ['npm exec foo', 'npm exec foo'],
    ['npm run build', 'npm run build'],
    ['git rebase --exec id', 'git rebase --exec id'],
    ['make all -j4', 'make all -j4'],
    ['base64 notes more', 'base64 notes *'],
    ['/config/check fast now', '/config/check fast *'],
    ['git commit -m "a message"', 'git commit *'],
    ['/usr/bin/npm test --x', '/usr/bin/npm test *'],
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
    'python3.11 x.py',
    'python3.13t x.py',
    '/usr/bin/python3.11 x.py',
    ...['npx -y evil', 'nodejs x', 'gawk x', 'find src -name x', 'tar xf x', 'flock lock id', 'stdbuf -o0 id'],
    ...['taskset 1 id', 'strace id', 'gdb id', 'gcc-12 x.c', 'tmux new id', 'sed p x'],
    './run.sh now',
    'bin/run now',
    '/state/run now',
    '/usr/../state/run now',
    '/usr//bin/npm test',
    'touch a\u202eb.txt',
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
