import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diffText } from './diff-text.ts'
import type { Paint } from './paint.ts'

const paint: Paint = (style, text) => `<${style}>${text}`
const painted = (...lines: string[]) => diffText(lines.join('\n'), paint).split('\n')

test('a diff has the colours of git', () => {
  assert.deepEqual(
    painted(
      'diff --git a/x b/x',
      '--- a/x',
      '+++ b/x',
      '@@ -1,2 +1,2 @@ head',
      ' same',
      '-old',
      '\\ No newline at end of file',
      '+new',
      'diff --git a/y b/y',
      'new file mode 100755',
      '@@ -0,0 +1 @@',
      '+y',
    ),
    [
      '<bold>diff --git a/x b/x',
      '<bold>--- a/x',
      '<bold>+++ b/x',
      '<cyan>@@ -1,2 +1,2 @@ head',
      ' same',
      '<red>-old',
      '\\ No newline at end of file',
      '<green>+new',
      '<bold>diff --git a/y b/y',
      '<bold>new file mode 100755',
      '<cyan>@@ -0,0 +1 @@',
      '<green>+y',
    ],
  )
})

test('content that looks like the head of a file is content', () => {
  assert.deepEqual(painted('@@ -1,2 +1,2 @@', '--- a/x', '-@@ -1 +1 @@', '+++ b/x', '+diff --git a/x b/x').slice(1), [
    '<red>--- a/x',
    '<red>-@@ -1 +1 @@',
    '<green>+++ b/x',
    '<green>+diff --git a/x b/x',
  ])
})

test('nothing in it can move the cursor or hide itself', () => {
  assert.deepEqual(painted('@@ -0,0 +1,2 @@', '+\x1b[2Jgone\r', '+a\u202eb').slice(1), [
    '<green>+\\x1b[2Jgone\\x0d',
    '<green>+a\\u202eb',
  ])
})
