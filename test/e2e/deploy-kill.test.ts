import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connectOps } from '../../src/kit/op-client.ts'
import { managerOps } from '../../src/wire/agent-ops.ts'
import { startTestHive, type TestHive } from '../hive.ts'
import { appliedOf, approve, git, propose, tagsOf } from '../proposals.ts'

/** Every step of an approval and a deploy at which the daemon may die, with how it ends after the next start. */
const WELL = [
  'approve.decided',
  'approve.tagged',
  'deploy.mark_building',
  'deploy.build',
  'deploy.started',
  'deploy.switch',
  'deploy.promote',
  'deploy.record.promoted',
  'deploy.record.meta',
  'deploy.record.told',
  'deploy.record',
]
const BROKEN = ['deploy.roll_back', 'deploy.failed', 'finish.tagged', 'finish.told']
const DENIED = ['deny.decided', 'finish.tagged', 'finish.told']

describe('a daemon that is killed in the middle of a decision', { timeout: 300_000 }, () => {
  let hive: TestHive
  before(async () => {
    hive = await startTestHive({ healthSeconds: 30 })
    await (await hive.host()).spawn({ name: 'scout' })
  })
  after(() => hive?.[Symbol.asyncDispose]())

  /** Has the daemon die at `point` while `decide` is carried out, and starts it again. */
  const dieAt = async (point: string, decide: (id: number) => Promise<unknown>, config: unknown) => {
    await hive.stop()
    await hive.start(undefined, point)
    const proposal = await propose(hive, 'scout', { 'agent.json': JSON.stringify(config) })
    // The answer may be lost with the daemon.
    await decide(proposal.id).catch(() => {})
    await hive.ended()
    await hive.start()
    return { ...proposal, ...(await hive.decided(proposal.id)) }
  }

  /** What runs, what the daemon knows, what is deployed and what the log of deploys says are the same commit. */
  const assertSettled = async (id: number, sha: string, terminal: string) => {
    assert.deepEqual(
      tagsOf(hive, 'scout', id).filter((tag) => ['deployed', 'failed', 'denied'].includes(tag)),
      [terminal],
    )
    const agent = await hive.agent('scout', ({ state }) => state === 'idle')
    assert.equal(git(appliedOf(hive, 'scout'), 'rev-parse', 'main'), sha)
    assert.equal(agent.sha, sha)
    const container = JSON.parse(readFileSync(join(hive.stateDir, 'containers/h-scout/run.json'), 'utf8'))
    assert.equal(container.deployment.revision, sha)
    assert.ok(existsSync(join(hive.stateDir, 'deployments/scout', sha, 'agent.json')))
    const host = await hive.host()
    assert.equal((await host.pending({})).approvals.length, 0, 'the queue is empty')
    // Each was told once.
    const { messages } = await host.messages({ agent: 'manager', limit: 1000 })
    const news = messages.map(({ body }) => JSON.parse(body)).filter((event) => event.id === id)
    assert.equal(news.length, 1, JSON.stringify(news))
    const { entries } = await host.audit({ approval: id })
    assert.equal(entries.filter(({ verb }) => verb === terminal || verb === 'deny').length, 1)
  }

  const mainOf = () => git(appliedOf(hive, 'scout'), 'rev-parse', 'main')

  for (const [at, point] of WELL.entries()) {
    it(`${point}: deploys it`, async () => {
      const { id, sha, state } = await dieAt(point, (approval) => approve(hive, approval), { model: `m${at}` })
      assert.equal(state, 'deployed')
      await assertSettled(id, sha as string, 'deployed')
      const log = git(join(hive.stateDir, 'meta'), 'log', '--format=%s').split('\n')
      assert.equal(log.filter((subject) => subject.includes(`deployed/${id} `)).length, 1, log.join('\n'))
    })
  }

  it('deploy.switch, of one that makes its agent: the manager is told that it was made', async () => {
    await using manager = await connectOps(managerOps, join(hive.runDir, 'agents/manager/mcp.sock'))
    const asked = await manager.call.request_init_config({ name: 'rookie' })
    await approve(hive, asked.id)
    assert.equal((await hive.decided(asked.id)).state, 'deployed')
    await hive.stop()
    await hive.start(undefined, 'deploy.switch')
    const { id, sha } = await propose(hive, 'rookie', { 'agent.json': '{"model":"first"}' })
    await approve(hive, id).catch(() => {})
    await hive.ended()
    await hive.start()
    assert.equal((await hive.decided(id)).state, 'deployed')
    assert.equal((await hive.agent('rookie', ({ state }) => state === 'idle')).sha, sha)
    const { messages } = await (await hive.host()).messages({ agent: 'manager', limit: 1000 })
    const news = messages
      .map(({ body }) => JSON.parse(body))
      .filter(({ agent, tag }) => agent === 'rookie' && tag === `deployed/${id}`)
    assert.deepEqual(news.map(({ event }) => event).sort(), ['approval_resolved', 'spawned'])
  })

  for (const point of BROKEN) {
    it(`${point}, with a commit that fails: rolls back`, async () => {
      const before = mainOf()
      const broken = { mcpServers: { broken: { command: '/no/such/program' } } }
      const { id, state } = await dieAt(point, (approval) => approve(hive, approval), broken)
      assert.equal(state, 'failed')
      await assertSettled(id, before, 'failed')
    })
  }

  for (const point of DENIED) {
    it(`${point}, with one that is denied: leaves everything as it is`, async () => {
      const before = mainOf()
      const deny = async (id: number) => (await hive.host()).deny({ id, reason: 'no' })
      const { id, state } = await dieAt(point, deny, { model: 'never' })
      assert.equal(state, 'denied')
      await assertSettled(id, before, 'denied')
    })
  }
})
