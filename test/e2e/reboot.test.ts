import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, type ProcessId } from '../../src/kit/detached.ts'
import { startTestHive, type TestHive } from '../hive.ts'
import { approve, propose } from '../proposals.ts'

/** Leaves what a machine leaves that goes down: no process, an empty run directory, records of another boot. */
async function goDown(hive: TestHive): Promise<void> {
  await hive.kill()
  const containers = join(hive.stateDir, 'containers')
  const records = readdirSync(containers)
    .filter((name) => name === 'hm1nd' || name.startsWith('h-'))
    .map((name) => join(containers, name, 'run.json'))
  const ended: ProcessId[] = [JSON.parse(readFileSync(join(hive.stateDir, 'gateway.process.json'), 'utf8'))]
  for (const file of records) {
    const run = JSON.parse(readFileSync(file, 'utf8'))
    ended.push(run.processes.init, run.processes.monitor)
    writeFileSync(file, JSON.stringify({ ...run, bootId: '00000000-0000-0000-0000-000000000000' }))
  }
  for (const found of ended) if (isAlive(found)) process.kill(found.pid, 'SIGKILL')
  while (ended.some(isAlive)) await sleep(5)
  rmSync(hive.runDir, { recursive: true })
}

test('after a reboot agents run with what is deployed, what was held comes again uncharged, and deploys go on', {
  timeout: 120_000,
}, async () => {
  await using hive = await startTestHive()
  const host = await hive.host()
  await host.spawn({ name: 'alice' })
  const first = await propose(hive, 'alice', { 'agent.json': '{"model":"opus"}' })
  await approve(hive, first.id)
  assert.equal((await hive.decided(first.id)).state, 'deployed')
  await hive.agent('alice', ({ state }) => state === 'idle')
  const second = await propose(hive, 'alice', { 'agent.json': '{"model":"sonnet"}' })
  const { id } = await host.send({ to: 'alice', body: 'stall 600000' })
  await hive.model.asked('stall 600000')

  await goDown(hive)
  await hive.start()

  // It falls silent only once.
  const { attempt, failures } = await hive.message(id, ({ state }) => state === 'done')
  assert.deepEqual([attempt, failures], [2, 0])
  const alice = await hive.agent('alice', ({ state }) => state === 'idle')
  assert.deepEqual([alice.sha, alice.model], [first.sha, 'opus'])
  await approve(hive, second.id)
  assert.equal((await hive.decided(second.id)).state, 'deployed')
  assert.equal((await hive.tell('alice', 'say well')).state, 'done')
})
