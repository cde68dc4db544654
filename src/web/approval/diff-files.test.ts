import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempDisposableSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { processFile } from '@pierre/diffs'
import { diffFiles, isLarge, quoteLines } from './diff-files.ts'

/** What git says between two states of a folder. */
function gitDiff(before: (folder: string) => void, after: (folder: string) => void): string {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'diff-'))
  const git = (...argv: string[]): string =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x', ...argv], {
      cwd: folder.path,
      encoding: 'utf8',
      maxBuffer: 8 * 1024 * 1024,
      env: { PATH: process.env.PATH, HOME: folder.path },
    })
  git('init', '-q')
  before(folder.path)
  git('add', '-A')
  git('commit', '-q', '--allow-empty', '-m', 'before')
  after(folder.path)
  git('add', '-A')
  return git('diff', '--cached', '-M')
}

const write = (files: Readonly<Record<string, string | Buffer>>) => (folder: string) => {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
}

test('every kind of change has its name and its figures', () => {
  const text = gitDiff(
    write({
      'a.json': 'one\ntwo\n',
      'gone.md': 'x\n',
      'old name.txt': 'same\n'.repeat(9),
      bin: Buffer.from([0, 1, 2]),
    }),
    (folder) => {
      write({ 'a.json': 'one\n2\nthree\n', 'new.md': 'y\n', 'häl\tlo': 'z\n', bin: Buffer.from([0, 9]) })(folder)
      rmSync(join(folder, 'gone.md'))
      renameSync(join(folder, 'old name.txt'), join(folder, 'new name.txt'))
      symlinkSync('/etc/passwd', join(folder, 'link'))
    },
  )
  assert.deepEqual(
    diffFiles(text).map(({ name, added, removed }) => [name, added, removed]),
    [
      ['a.json', 2, 1],
      ['bin', 0, 0],
      ['gone.md', 0, 1],
      ['"h\\303\\244l\\tlo"', 1, 0],
      ['link', 1, 0],
      ['new name.txt', 0, 0],
      ['new.md', 1, 0],
    ],
  )
})

test('lines that look like parts of a diff are lines', () => {
  const text = gitDiff(
    write({ a: '' }),
    write({ a: 'diff --git a/x b/x\n+++ b/y\n@@ -1 +1 @@\n\r\ndiff --git a/z b/z\n\u2028diff --git a/w b/w\n' }),
  )
  assert.deepEqual(
    diffFiles(text).map(({ name, added }) => [name, added]),
    [['a', 6]],
  )
})

test('what cannot be seen is spelled out: directions of text, ends of lines', () => {
  const text = gitDiff(write({ a: 'x\n' }), write({ a: 'x\r\n\u202ey\n' }))
  const [file] = diffFiles(text)
  assert.match(file?.text ?? '', /^\+x<U\+000D>$/m)
  assert.match(file?.text ?? '', /^\+<U\+202E>y$/m)
})

test('the library reads each file by itself, with as many lines', () => {
  const numbers = (count: number) => Array.from({ length: count }, (_, n) => `line ${n}\n`)
  const changed = numbers(60).map((line, n) => (n % 20 === 5 ? `changed ${n}\n` : line))
  const text = gitDiff(write({ a: numbers(60).join(''), b: 'x' }), write({ a: changed.join(''), b: 'y' }))
  for (const { name, text: part, added, removed } of diffFiles(text)) {
    const read = processFile(part, { isGitDiff: true, throwOnError: true })
    assert.equal(read?.name, name)
    const lines = read?.hunks.flatMap(({ hunkContent }) => hunkContent.filter(({ type }) => type === 'change')) ?? []
    assert.equal(
      lines.reduce((sum, change) => sum + (change.type === 'change' ? change.additions : 0), 0),
      added,
    )
    assert.equal(
      lines.reduce((sum, change) => sum + (change.type === 'change' ? change.deletions : 0), 0),
      removed,
    )
  }
})

test('chosen lines are quoted with where they are', () => {
  const lines = Array.from({ length: 40 }, (_, n) => `line ${n + 1}\n`)
  const changed = lines.with(2, 'three\n').with(35, 'thirty-six\n').toSpliced(10, 0, 'extra\n')
  const [file] = diffFiles(gitDiff(write({ 'a.txt': lines.join('') }), write({ 'a.txt': changed.join('') })))
  assert.ok(file)
  assert.equal(quoteLines(file, { side: 'additions', start: 3, end: 3 }), 'a.txt:3\n> +three')
  assert.equal(quoteLines(file, { side: 'deletions', start: 4, end: 3 }), 'a.txt:3-4\n> -line 3\n>  line 4')
  assert.equal(quoteLines(file, { side: 'additions', start: 37, end: 37 }), 'a.txt:37\n> +thirty-six')
})

test('a diff is large by its lines, and by its characters', () => {
  const of = (lines: number, length: number) =>
    diffFiles(gitDiff(write({ a: '' }), write({ a: `${'x'.repeat(length)}\n`.repeat(lines) })))
  assert.equal(isLarge(of(4_000, 10)), false)
  assert.equal(isLarge(of(6_000, 10)), true)
  assert.equal(isLarge(of(20, 100_000)), true)
})
