import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { test } from 'node:test'
import { probeSandbox } from './choose.ts'

test('a sandbox can be tried without a hive, and nothing of it stays', async () => {
  const parent = mkdtempSync('/tmp/probe-')
  chmodSync(parent, 0o711)
  try {
    const { ok, problems, version } = await probeSandbox(parent)
    assert.deepEqual({ ok, problems }, { ok: true, problems: [] })
    assert.match(version, /bubblewrap/)
    assert.deepEqual(readdirSync(parent), [])
  } finally {
    rmSync(parent, { recursive: true })
  }
})
