import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { FOREVER, launch, type MakeSubject, outputOf, waitForExit, waitForLine } from './subject.ts'

export function testLogs(make: MakeSubject): void {
  describe('logs', () => {
    it('gives the lines of both streams in their order, the last ones when asked', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', 'echo a; echo b; echo c; echo x >&2; printf unfinished')
      await waitForExit(subject.runtime, 'h-a')
      const lines = await Array.fromAsync(subject.runtime.logs('h-a', {}))
      assert.deepEqual(
        lines.filter(({ stream }) => stream === 'stdout').map(({ text }) => text),
        ['a', 'b', 'c', 'unfinished'],
      )
      assert.ok(lines.some(({ stream, text }) => stream === 'stderr' && text === 'x'))
      const tail = await Array.fromAsync(subject.runtime.logs('h-a', { tail: 2 }))
      assert.deepEqual(
        tail.filter(({ stream }) => stream === 'stdout').map(({ text }) => text),
        ['c', 'unfinished'],
      )
      assert.deepEqual(await Array.fromAsync(subject.runtime.logs('h-a', { tail: 0 })), [])
    })

    it('keeps the lines of earlier lives', async () => {
      await using subject = await make()
      for (const life of ['one', 'two']) {
        await launch(subject, 'h-a', `echo ${life}`)
        await waitForExit(subject.runtime, 'h-a')
      }
      assert.deepEqual(await outputOf(subject.runtime, 'h-a'), ['one', 'two'])
    })

    it('follows what is written, over a new life, until it is told to stop', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', 'echo first; while [ ! -e "$STATE/go" ]; do sleep 0.02; done; echo second')
      const stop = new AbortController()
      const seen: string[] = []
      for await (const { text } of subject.runtime.logs('h-a', { follow: true, signal: stop.signal })) {
        seen.push(text)
        if (text === 'first') writeFileSync(join(subject.scratch, 'h-a/go'), '')
        if (text === 'second') {
          await waitForExit(subject.runtime, 'h-a')
          await launch(subject, 'h-a', 'echo third')
        }
        if (text === 'third') stop.abort()
      }
      assert.deepEqual(seen, ['first', 'second', 'third'])
    })

    it('survives a flood: the newest lines are there, for those who follow too', async () => {
      await using subject = await make()
      const stop = new AbortController()
      // So that whatever keeps logs small is at work.
      const watching = Array.fromAsync(subject.runtime.watch(stop.signal))
      await launch(subject, 'h-a', `yes "$(printf '%01000d' 7)" | head -n 40000; echo end; ${FOREVER}`)
      assert.equal(await waitForLine(subject.runtime, 'h-a', 'end'), 'end')
      const tail = await Array.fromAsync(subject.runtime.logs('h-a', { tail: 2 }))
      assert.equal(tail.at(-1)?.text, 'end')
      stop.abort()
      await watching
    })

    it('cuts an endless line into pieces and shows bytes that are no text', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', `printf '\\377\\n'; head -c 1000000 /dev/zero | tr '\\0' a; echo; echo end`)
      await waitForExit(subject.runtime, 'h-a')
      const [first, ...pieces] = await outputOf(subject.runtime, 'h-a')
      assert.equal(first, '\ufffd')
      assert.equal(pieces.pop(), 'end')
      assert.ok(pieces.every((piece) => piece.length <= 64 * 1024))
      assert.equal(pieces.join('').length, 1_000_000)
    })
  })
}
