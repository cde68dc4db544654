import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { AGENT, type Changes, openProposals } from './proposals-in-test.ts'

const BASE = { 'agent.json': '{}\n', 'tool.sh': 'one\ntwo\nthree\n' }

/** What is shown of a commit with these changes. */
async function show(changes: Changes) {
  const room = await openProposals(BASE)
  const sha = room.commit(changes)
  await room.take(1, sha)
  const diff = await room.repositories.diff(AGENT, room.first, sha)
  return { room, sha, diff, [Symbol.dispose]: () => room[Symbol.dispose]() }
}

describe('diff', () => {
  it('shows every file that changes, with its counts', async () => {
    using shown = await show({ 'agent.json': '{ "model": "x" }\n', 'tool.sh': null, 'new file': 'a\nb\n' })
    const { files, text, truncated } = shown.diff
    assert.deepEqual(files, [
      { path: 'agent.json', change: 'modified', added: 1, removed: 1, remarks: [] },
      { path: 'new file', change: 'added', added: 2, removed: 0, remarks: [] },
      { path: 'tool.sh', change: 'deleted', added: 0, removed: 3, remarks: [] },
    ])
    assert.equal(truncated, null)
    assert.match(text, /^diff --git a\/agent\.json b\/agent\.json\n/)
    assert.match(text, /\n-\{\}\n\+\{ "model": "x" \}\n/)
    assert.match(text, /\n--- \/dev\/null\n\+\+\+ b\/new file/)
  })

  it('is empty when the trees are the same', async () => {
    using shown = await show({})
    const { files, text, truncated } = shown.diff
    assert.deepEqual([files, text, truncated], [[], '', null])
  })

  it('remarks modes, also where nothing else changes', async () => {
    using shown = await show({ 'tool.sh*': BASE['tool.sh'], 'run*': 'x\n' })
    const remarks = shown.diff.files.map(({ path, remarks }) => [path, remarks])
    assert.deepEqual(remarks, [
      ['run', ['is executable']],
      ['tool.sh', ['becomes executable']],
    ])
    assert.match(shown.diff.text, /old mode 100644\nnew mode 100755\n$/)
  })

  it('spells out what would not be seen, and remarks it', async () => {
    const content = Buffer.concat([Buffer.from('safe\r\nrm \u202e\u200b\u001b[8m'), Buffer.from([0, 0xff, 0x0a])])
    using shown = await show({ 'tool.sh': content, far: `x${' '.repeat(9000)}y\n` })
    const [far, tool] = shown.diff.files
    assert.deepEqual(far?.remarks, ['has a line of 9003 characters'])
    assert.deepEqual(tool?.remarks, [
      'holds binary content',
      'holds hidden characters: 0xFF, U+000D, U+202E, U+200B, U+001B and 1 more',
    ])
    assert.ok(shown.diff.text.includes('+safe<U+000D>\n+rm <U+202E><U+200B><U+001B>[8m<U+0000><0xFF>\n'))
  })

  it('is fooled by no attributes, no configuration and no name', async () => {
    using room = await openProposals(BASE)
    // No proposal can bring these; should they get there all the same, they change nothing.
    mkdirSync(join(room.gitDir, 'info'), { recursive: true })
    writeFileSync(join(room.gitDir, 'info', 'attributes'), '* -diff -text diff=lie\n')
    const settings = {
      'diff.lie.textconv': 'true',
      'diff.lie.command': 'true',
      'diff.external': 'true',
      'diff.noprefix': 'true',
      'diff.context': '0',
      'diff.renames': 'copies',
      'diff.orderFile': '/dev/null',
      'diff.ignoreSubmodules': 'all',
      'core.quotePath': 'false',
      'core.whitespace': 'cr-at-eol',
      'color.ui': 'always',
    }
    for (const [name, value] of Object.entries(settings)) room.applied('config', name, value)
    const sha = room.commit({ 'tool.sh': null, '-x': BASE['tool.sh'], 'ä\\"': 'two  \n', '--output=y': 'x\n' })
    await room.take(1, sha)
    const { files, text } = await room.repositories.diff(AGENT, room.first, sha)
    assert.deepEqual(
      files.map(({ path, change, added, removed }) => [path, change, added, removed]),
      [
        ['--output=y', 'added', 1, 0],
        ['-x', 'added', 3, 0],
        ['tool.sh', 'deleted', 0, 3],
        ['"\\303\\244\\\\\\""', 'added', 1, 0],
      ],
    )
    assert.match(text, /\+one\n\+two\n\+three\n/)
    assert.match(text, /--- a\/tool\.sh\n\+\+\+ \/dev\/null\n@@ -1,3 \+0,0 @@\n-one\n-two\n-three\n/)
    assert.match(text, /\+two {2}\n/)
  })

  it('is not fooled by content that looks like a diff', async () => {
    const lie = 'x\n\ndiff --git a/harmless b/harmless\n:100644 100644 a b M\tharmless\n--- a/h\n+++ b/h\n'
    using shown = await show({ 'tool.sh': lie, zz: '1\n' })
    assert.deepEqual(
      shown.diff.files.map(({ path }) => path),
      ['tool.sh', 'zz'],
    )
    assert.ok(shown.diff.text.includes('+diff --git a/harmless b/harmless\n'))
  })

  it('says that it is cut, with the list of files complete, and fits a line of 1 MiB', async () => {
    const changes: Record<string, string> = Object.fromEntries(
      Array.from({ length: 300 }, (_, n) => [`${'ä'.repeat(40)}${n}`, `${'\u0007"\\'.repeat(500)}\n`]),
    )
    using shown = await show(changes)
    const { files, text, truncated } = shown.diff
    assert.equal(files.length, 300)
    assert.match(truncated ?? '', /^it is too long to be shown whole: \d+ KiB$/)
    assert.ok(text.endsWith('\n') && text.length > 100_000)
    assert.ok(JSON.stringify(shown.diff).length < 1_000_000)
  })

  it('shows a file of 2 MiB as text', async () => {
    using shown = await show({ big: `${'0123456789abcde\n'.repeat(131_072)}end\n` })
    assert.deepEqual(shown.diff.files, [{ path: 'big', change: 'added', added: 131_073, removed: 0, remarks: [] }])
    assert.match(shown.diff.truncated ?? '', /too long/)
  })
})
