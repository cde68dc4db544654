import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readLogs } from './log-reader.ts'
import { rotatedFile, rotateLog } from './log-rotation.ts'

function makeLogs() {
  const path = mkdtempSync(join(tmpdir(), 'hive-logs-'))
  const files = { stdout: join(path, 'stdout.log'), stderr: join(path, 'stderr.log') }
  writeFileSync(files.stdout, '')
  writeFileSync(files.stderr, '')
  return { path, files, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

describe('a rotated log', () => {
  it('keeps each file within its size, and one old piece', () => {
    using logs = makeLogs()
    for (let round = 0; round < 5; round++) {
      appendFileSync(logs.files.stdout, `${round}`.repeat(1500))
      rotateLog(logs.files.stdout, 1000)
      assert.equal(statSync(logs.files.stdout).size, 0)
    }
    assert.equal(statSync(rotatedFile(logs.files.stdout)).size, 1500)
  })

  it('keeps only the end of a flood', async () => {
    using logs = makeLogs()
    appendFileSync(logs.files.stdout, `${'x'.repeat(100_000)}\nend\n`)
    rotateLog(logs.files.stdout, 1000)
    assert.equal(statSync(rotatedFile(logs.files.stdout)).size, 2000)
    assert.equal((await Array.fromAsync(readLogs(logs, {}))).at(-1)?.text, 'end')
  })

  it('is left alone while it is small', () => {
    using logs = makeLogs()
    appendFileSync(logs.files.stdout, 'x'.repeat(1000))
    rotateLog(logs.files.stdout, 1000)
    assert.equal(statSync(logs.files.stdout).size, 1000)
  })
})

describe('readLogs', () => {
  it('follows through rotations without losing or repeating a line', async () => {
    using logs = makeLogs()
    const stop = new AbortController()
    const seen: string[] = []
    const lines = readLogs(logs, { follow: true, signal: stop.signal })[Symbol.asyncIterator]()
    let written = 0
    const write = (count: number) => {
      for (let end = written + count; written < end; written++) appendFileSync(logs.files.stdout, `line ${written}\n`)
    }
    write(10)
    const read = async () => {
      while (seen.length < written) seen.push((await lines.next()).value?.text ?? '')
    }
    await read()
    for (const _ of [1, 2, 3]) {
      write(30)
      rotateLog(logs.files.stdout, 250)
      assert.equal(statSync(logs.files.stdout).size, 0)
      write(10)
      await read()
    }
    stop.abort()
    assert.equal((await lines.next()).done, true)
    assert.deepEqual(
      seen,
      Array.from({ length: written }, (_, index) => `line ${index}`),
    )
  })

  it('ends at what was there when it began, however fast the writer is', async () => {
    using logs = makeLogs()
    const line = `${'x'.repeat(999)}\n`
    appendFileSync(logs.files.stdout, line.repeat(1000))
    let count = 0
    for await (const _ of readLogs(logs, {})) {
      appendFileSync(logs.files.stdout, line)
      if (++count === 5000) break
    }
    assert.equal(count, 1000)
  })

  it('lets others have a turn while it reads', async () => {
    using logs = makeLogs()
    appendFileSync(logs.files.stdout, `${'x'.repeat(999)}\n`.repeat(2000))
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    const seen: number[] = []
    for await (const _ of readLogs(logs, {})) seen.push(turns)
    clearInterval(timer)
    assert.ok(new Set(seen).size > 2, `${new Set(seen).size} turns`)
  })

  it('finds the last lines over a rotation and in a large log', async () => {
    using logs = makeLogs()
    appendFileSync(logs.files.stdout, 'one\ntwo\n')
    rotateLog(logs.files.stdout, 5)
    appendFileSync(logs.files.stdout, 'three\n')
    const texts = async (tail: number) => (await Array.fromAsync(readLogs(logs, { tail }))).map(({ text }) => text)
    assert.deepEqual(await texts(2), ['two', 'three'])
    appendFileSync(logs.files.stdout, `${'x'.repeat(3_000_000)}\nlast\nunfinished`)
    assert.deepEqual(await texts(2), ['last', 'unfinished'])
    rotateLog(logs.files.stdout, 1_000_000)
    appendFileSync(logs.files.stdout, '\n')
    assert.deepEqual(await texts(2), ['last', 'unfinished'])
  })

  it('begins anew when the writer emptied its own log', async () => {
    using logs = makeLogs()
    const stop = new AbortController()
    const lines = readLogs(logs, { follow: true, signal: stop.signal })[Symbol.asyncIterator]()
    appendFileSync(logs.files.stdout, 'one long line\n')
    assert.equal((await lines.next()).value?.text, 'one long line')
    truncateSync(logs.files.stdout)
    appendFileSync(logs.files.stdout, 'two\n')
    assert.equal((await lines.next()).value?.text, 'two')
    stop.abort()
    await lines.return?.()
  })
})
