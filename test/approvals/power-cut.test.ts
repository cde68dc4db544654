import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ApprovalStore } from '../../src/host/approvals/approval-store.ts'
import { openHiveDatabase } from '../../src/host/database.ts'
import { makeProposal } from '../../src/host/repositories/proposals-in-test.ts'
import { connectOps } from '../../src/kit/op-client.ts'
import { openLoopDisk, whyNoLoopDisk } from '../broker/loop-disk.ts'
import { git } from '../proposals.ts'
import { approvalsOps } from './approvals-ops.ts'

const ROUNDS = 5

test('a power cut right after an approval was confirmed: row, tag and commit are there', {
  timeout: 120_000,
}, async (t) => {
  const why = await whyNoLoopDisk()
  if (why) return t.skip(why)
  for (let round = 0; round < ROUNDS; round += 1) {
    await using disk = await openLoopDisk(64)
    const scratch = mkdtempSync(join(tmpdir(), 'power-'))
    const socket = join(scratch, 's.sock')
    const program = join(import.meta.dirname, 'approvals-program.ts')
    const server = spawn(process.execPath, [program, disk.path, socket], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      await once(server.stdout, 'data')
      await using connection = await connectOps(approvalsOps, socket)
      const { call } = connection
      const applied = join(disk.path, 'applied/alice/.git')
      await call.seed({ agent: 'alice' })
      const { sha, pack } = makeProposal(applied, { 'agent.json': '{"model":"opus"}\n' })
      const { id, base } = await call.propose({ agent: 'alice', sha, pack: pack.toString('base64') })
      await call.approve({ id, base, sha })
      await disk.cutPower()
      server.kill('SIGKILL')
      await once(server, 'exit')

      await disk.mountAgain()
      using db = openHiveDatabase(join(disk.path, 'hive.sqlite'))
      assert.equal(new ApprovalStore(db).get(id).state, 'approved')
      const tags = git(applied, 'for-each-ref', '--format=%(refname:short) %(objectname)', 'refs/tags').split('\n')
      assert.deepEqual(tags, [`approved/${id} ${sha}`, `deployed/0 ${base}`, `proposal/${id} ${sha}`])
      git(applied, 'fsck', '--full', '--strict')
      assert.equal(git(applied, 'show', `${sha}:agent.json`), '{"model":"opus"}')
    } finally {
      server.kill('SIGKILL')
      rmSync(scratch, { recursive: true })
    }
  }
})
