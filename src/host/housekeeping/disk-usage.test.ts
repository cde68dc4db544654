import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { measureUsage } from './disk-usage.ts'

const UID = 1_900_000_123
const MIB = 1024 * 1024

test('counts what is there: hidden directories too, no links, nothing that is missing', async () => {
  using room = {
    path: mkdtempSync(join(tmpdir(), 'usage-')),
    [Symbol.dispose]: () => rmSync(room.path, { recursive: true }),
  }
  chmodSync(room.path, 0o711)
  const state = join(room.path, 'state')
  const hidden = join(state, 'hidden')
  mkdirSync(hidden, { recursive: true })
  writeFileSync(join(hidden, 'file'), Buffer.alloc(2 * MIB))
  const outside = join(room.path, 'outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'file'), Buffer.alloc(8 * MIB))
  symlinkSync(outside, join(state, 'link'))
  const isRoot = process.getuid?.() === 0
  if (isRoot) {
    for (const path of [state, hidden, join(hidden, 'file')]) chownSync(path, UID, UID)
    chmodSync(hidden, 0)
    chmodSync(outside, 0)
  }
  const bytes = await measureUsage({
    paths: [state, join(room.path, 'missing'), join(state, 'link')],
    uid: isRoot ? UID : undefined,
    timeoutMs: 10_000,
  })
  assert.ok(bytes !== undefined && bytes >= 2 * MIB && bytes < 3 * MIB, `${bytes}`)
  assert.equal(await measureUsage({ paths: [join(room.path, 'missing')], timeoutMs: 10_000 }), 0)
})
