import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Notes } from './notes.ts'

const LIMIT = 64 * 1024

function openNotes() {
  const directory = mkdtempSync(join(tmpdir(), 'notes-'))
  const path = join(directory, 'notes.md')
  return {
    directory,
    path,
    notes: new Notes(directory),
    /** `minute`: when. */
    write(text: string, minute = 0) {
      writeFileSync(path, text)
      utimesSync(path, 60 * minute, 60 * minute)
    },
    versions: () => readdirSync(join(directory, '.notes')).sort(),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  }
}

describe('notes that are too long', () => {
  test('are complained of, and kept as they were', async () => {
    using bench = openNotes()
    assert.equal(await bench.notes.complaint(), undefined)
    bench.write('n'.repeat(LIMIT))
    assert.equal(await bench.notes.complaint(), undefined)
    const long = `${'n'.repeat(LIMIT)}!`
    bench.write(long)
    const complaint = (await bench.notes.complaint()) ?? ''
    assert.match(complaint, /are 65 KiB long, 64 at most/)
    const kept = /now in (\S+)\.$/.exec(complaint)?.[1] ?? ''
    assert.equal(readFileSync(kept, 'utf8'), long)
  })

  test('are kept once as long as they do not change, and in their last five versions', async () => {
    using bench = openNotes()
    for (const minute of [0, 0, 1, 2, 3, 4, 5, 5]) {
      bench.write(`${minute}${'n'.repeat(LIMIT)}`, minute)
      await bench.notes.complaint()
    }
    assert.deepEqual(
      bench.versions().map((name) => readFileSync(join(bench.directory, '.notes', name), 'utf8')[0]),
      ['1', '2', '3', '4', '5'],
    )
  })

  test('are not kept when they would fill the disk', async () => {
    using bench = openNotes()
    bench.write('n'.repeat(4 * 1024 * 1024 + 1))
    assert.match((await bench.notes.complaint()) ?? '', /too long to be kept/)
    assert.deepEqual(readdirSync(bench.directory), ['notes.md'])
  })
})

describe('the head of notes', () => {
  test('is all of short ones, and of longer ones the beginning and where the rest is', async () => {
    using bench = openNotes()
    assert.match(await bench.notes.head(), /^You have no notes/)
    bench.write('buy milk\n')
    assert.match(
      await bench.notes.head('5f0c'),
      /^Your own notes, \S+\/notes\.md, between the markers:\n<<<5f0c\nbuy milk\n5f0c>>>$/,
    )
    assert.notEqual(await bench.notes.head(), await bench.notes.head())
    bench.write(`start ${'n'.repeat(20_000)} end`)
    const head = await bench.notes.head()
    assert.match(head, /^The first 8192 of 20010 bytes of your own notes.*start/s)
    assert.doesNotMatch(head, / end/)
  })

  for (const [what, make] of [
    ['a link', (path: string) => symlinkSync('/etc/passwd', path)],
    ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
  ] as const) {
    test(`is none of ${what}, and nobody waits for it`, { timeout: 20_000 }, async () => {
      using bench = openNotes()
      make(bench.path)
      assert.match(await bench.notes.head(), /^You have no notes/)
      assert.equal(await bench.notes.complaint(), undefined)
    })
  }
})
