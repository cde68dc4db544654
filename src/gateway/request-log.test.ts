import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { RequestEntry } from './exchange.ts'
import { createRequestLog } from './request-log.ts'

const ENTRY: RequestEntry = { host: 'example.com', port: 443, verdict: 'passed', bytesUp: 1, bytesDown: 2 }

describe('the log of requests', () => {
  const directory = mkdtempSync(join(tmpdir(), 'request-log-'))
  after(() => rmSync(directory, { recursive: true }))

  test('has a line per request in a file per agent, readable for nobody else', () => {
    const log = createRequestLog({ directory, now: () => new Date(0) })
    log('alice', ENTRY)
    log('alice', { ...ENTRY, verdict: 'refused', reason: 'no\nsecond "line"' })
    log('bob', ENTRY)
    const lines = readFileSync(join(directory, 'alice.jsonl'), 'utf8').trimEnd().split('\n')
    assert.deepEqual(JSON.parse(lines[0] as string), { time: '1970-01-01T00:00:00.000Z', agent: 'alice', ...ENTRY })
    assert.equal(JSON.parse(lines[1] as string).reason, 'no\nsecond "line"')
    assert.equal(lines.length, 2)
    assert.equal(statSync(join(directory, 'bob.jsonl')).mode & 0o777, 0o600)
  })

  test('keeps two files of its size, also over a restart, and touches no other agent’s', () => {
    const before = readFileSync(join(directory, 'bob.jsonl'), 'utf8')
    for (let line = 0; line < 100; line += 1) createRequestLog({ directory, maxBytes: 1_000 })('alice', ENTRY)
    for (const name of ['alice.jsonl', 'alice.jsonl.1']) assert.ok(statSync(join(directory, name)).size <= 1_000, name)
    assert.equal(readFileSync(join(directory, 'bob.jsonl'), 'utf8'), before)
    assert.deepEqual(readdirSync(directory).toSorted(), ['alice.jsonl', 'alice.jsonl.1', 'bob.jsonl'])
  })

  test('goes on when its file was taken away', () => {
    const log = createRequestLog({ directory, maxBytes: 1_000 })
    for (let line = 0; line < 6; line += 1) log('carol', ENTRY)
    rmSync(join(directory, 'carol.jsonl'))
    for (let line = 0; line < 6; line += 1) log('carol', ENTRY)
    assert.ok(existsSync(join(directory, 'carol.jsonl')))
  })
})
