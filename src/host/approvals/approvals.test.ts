import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { HiveError } from '../../wire/errors.ts'
import { Deployments } from '../agents/deployments.ts'
import { WAITS } from '../agents/supervised-in-test.ts'
import type { ContainerRuntime } from '../containers/runtime.ts'
import { config, git, openApprovalsInTest } from './approvals-in-test.ts'

const codeOf = (outcome: PromiseSettledResult<unknown>): string =>
  outcome.status === 'fulfilled' ? 'ok' : outcome.reason instanceof HiveError ? outcome.reason.code : 'thrown'

/** Holds up builds while it is closed. */
function createGate() {
  let passes: PromiseWithResolvers<void> | undefined
  return {
    close: () => {
      passes = Promise.withResolvers()
    },
    open: () => passes?.resolve(),
    bend: (runtime: ContainerRuntime): Partial<ContainerRuntime> => ({
      async build(...args) {
        await passes?.promise
        return runtime.build(...args)
      },
    }),
  }
}

describe('an approval', { timeout: 120_000 }, () => {
  it('deploys once, however many approve it at once', async () => {
    await using hive = await openApprovalsInTest()
    const proposal = await hive.propose(config({ model: 'opus' }))
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => hive.approve(proposal)))
    assert.deepEqual(outcomes.map(codeOf).sort(), [...Array(49).fill('conflict'), 'ok'])
    const done = await hive.settled(proposal.id)
    assert.deepEqual([done.state, done.tag], ['deployed', `deployed/${proposal.id}`], await hive.log(proposal.id))
    assert.deepEqual(hive.tags(proposal.id), ['approved', 'building', 'deployed', 'proposal'])
    assert.deepEqual([hive.main(), await hive.running()], [proposal.sha, proposal.sha])
    const deeds = hive.audit.list({ approval: proposal.id, limit: 99 }).entries.map(({ verb }) => verb)
    assert.deepEqual(deeds, ['request_apply_commit', 'approve', 'deployed'])
    const late = await Promise.allSettled([hive.approve(proposal)])
    assert.match(String((late[0] as PromiseRejectedResult).reason), /is deployed already/)
  })

  it('ends in exactly one way, whoever decides at the same time', async () => {
    await using hive = await openApprovalsInTest()
    for (let round = 0; round < 8; round++) {
      const proposal = await hive.propose(config({ model: `m${round}` }))
      const decisions = [
        () => hive.approve(proposal),
        () => hive.approvals.deny(proposal.id, 'no', 'operator'),
        () => hive.approvals.cancel(proposal.id, 'manager'),
      ]
      const order = [...decisions.slice(round % 3), ...decisions.slice(0, round % 3)]
      const outcomes = await Promise.allSettled(order.map((decide) => decide()))
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
      const { state } = await hive.settled(proposal.id)
      const terminal = hive.tags(proposal.id).filter((tag) => ['deployed', 'failed', 'denied'].includes(tag as string))
      assert.deepEqual(terminal, state === 'cancelled' ? [] : [state])
    }
  })

  it('is of exactly what was shown', async () => {
    await using hive = await openApprovalsInTest()
    const { id, base, sha } = await hive.propose(config({ model: 'opus' }))
    const other = '0'.repeat(40)
    for (const wrong of [
      { base: other, sha },
      { base, sha: other },
      { base: null, sha },
      { base, sha: null },
    ]) {
      await assert.rejects(hive.approvals.approve({ id, ...wrong }, 'operator'), { code: 'conflict' })
    }
    assert.equal(hive.approvals.get(id).state, 'pending')
    assert.deepEqual(hive.tags(id), ['proposal'])
  })

  it('is stale once something else was deployed, until it was shown again', async () => {
    await using hive = await openApprovalsInTest()
    const first = await hive.propose(config({ model: 'a' }))
    const second = await hive.propose(config({ model: 'b' }), { parent: `proposal/${first.id}` })
    await hive.deploy(first)
    assert.equal(hive.approvals.get(second.id).state, 'stale')
    await assert.rejects(hive.approve(second), { code: 'conflict', message: /stale/ })
    const shown = await hive.approvals.show(second.id)
    assert.deepEqual([shown.approval.state, shown.approval.base, shown.problem], ['pending', first.sha, null])
    await assert.rejects(hive.approve(second), { code: 'conflict' })
    assert.equal((await hive.deploy(shown.approval)).state, 'deployed')
    assert.equal(hive.main(), second.sha)
  })

  it('that was approved before the other was deployed is not deployed over it', async () => {
    const gate = createGate()
    await using hive = await openApprovalsInTest({ bend: gate.bend })
    const first = await hive.propose(config({ model: 'a' }))
    const second = await hive.propose(config({ model: 'b' }), { parent: `proposal/${first.id}` })
    gate.close()
    await hive.approve(first)
    await hive.approve(second)
    gate.open()
    assert.equal((await hive.settled(first.id)).state, 'deployed')
    assert.equal((await hive.settled(second.id)).state, 'stale')
    assert.equal(hive.main(), first.sha)
  })

  it('of a commit that is not based on what runs any more cannot be given', async () => {
    await using hive = await openApprovalsInTest()
    const first = await hive.propose(config({ model: 'a' }))
    const second = await hive.propose(config({ model: 'b' }))
    await hive.deploy(first)
    const { problem, approval } = await hive.approvals.show(second.id)
    assert.match(problem ?? '', /rebase/)
    assert.equal(approval.state, 'stale')
    await assert.rejects(hive.approve({ ...second, base: first.sha }), { code: 'conflict' })
  })

  it('of what cannot be shown whole cannot be given', async () => {
    await using hive = await openApprovalsInTest()
    const proposal = await hive.propose({ 'big.txt': 'line of text\n'.repeat(200_000) })
    const { diff, problem } = await hive.approvals.show(proposal.id)
    assert.ok(diff?.truncated && problem)
    await assert.rejects(hive.approve(proposal), { code: 'conflict', message: /cannot be approved/ })
  })

  it('is refused with the reason, which is kept', async () => {
    await using hive = await openApprovalsInTest()
    await assert.rejects(hive.propose(config({ modle: 'opus' })), { code: 'bad_input', message: /modle/ })
    const { approvals } = hive.approvals.list({ all: true, limit: 9 })
    assert.deepEqual(
      approvals.map(({ state }) => state),
      ['failed'],
    )
    assert.match(approvals[0]?.note ?? '', /modle/)
    assert.equal(hive.approvals.countPending(), 0)
  })

  it('cannot be asked for by more at once than there is memory for', async () => {
    await using hive = await openApprovalsInTest()
    const { sha } = await hive.propose(config({ model: 'a' }))
    const pack = Buffer.from('no pack')
    const asked = Array.from({ length: 50 }, (_, n) =>
      hive.approvals.requestApplyCommit({
        agent: 'alice',
        sha: `${sha?.slice(0, 38)}${String(n).padStart(2, '0')}`,
        pack,
        requester: 'manager',
        description: undefined,
      }),
    )
    const codes = (await Promise.allSettled(asked)).map(codeOf)
    assert.equal(codes.filter((code) => code === 'too_many').length, 42)
    assert.equal(codes.filter((code) => code === 'bad_input').length, 8)
  })

  it('is asked for once', async () => {
    await using hive = await openApprovalsInTest()
    const bob = { agent: 'bob', requester: 'manager', description: 'help' } as const
    const { id } = await hive.approvals.requestSpawn(bob)
    await assert.rejects(hive.approvals.requestSpawn(bob), { code: 'conflict', message: new RegExp(`approval ${id}`) })
    await assert.rejects(hive.approvals.requestSpawn({ ...bob, agent: 'alice' }), { code: 'conflict' })
    await assert.rejects(hive.approvals.requestInitConfig({ ...bob, agent: 'alice' }), { code: 'conflict' })
    await hive.approvals.cancel(id, 'manager')
    await hive.approvals.requestSpawn(bob)
  })

  it('comes to nothing when its agent is destroyed', async () => {
    await using hive = await openApprovalsInTest()
    const { id } = await hive.propose(config({ model: 'opus' }))
    await hive.lifecycle.destroy('alice', { purge: false })
    const { state, note } = hive.approvals.get(id)
    assert.deepEqual([state, note], ['failed', 'alice was destroyed'])
    assert.deepEqual(hive.tags(id), ['failed', 'proposal'])
    assert.deepEqual(
      (await hive.news()).map(({ event }) => event),
      ['approval_resolved', 'destroyed'],
    )
    await assert.rejects(hive.propose(config({ model: 'x' })), { code: 'conflict', hint: /request_spawn/ })
  })

  it('that waits in the queue when its agent is destroyed does not bring it back', async () => {
    const gate = createGate()
    await using hive = await openApprovalsInTest({ bend: gate.bend })
    const ahead = await hive.propose(config({ model: 'a' }), { agent: 'manager' })
    const queued = await hive.propose(config({ model: 'b' }))
    gate.close()
    await hive.approve(ahead)
    await hive.approve(queued)
    await hive.lifecycle.destroy('alice', { purge: false })
    gate.open()
    await hive.settled(ahead.id)
    assert.deepEqual([(await hive.settled(queued.id)).state, hive.registry.has('alice')], ['failed', false])
  })

  it('is seen through although its tag could not be set at once', async () => {
    await using hive = await openApprovalsInTest()
    const proposal = await hive.propose(config({ model: 'opus' }))
    const lock = join(hive.appliedOf('alice'), 'refs/tags/approved')
    writeFileSync(lock, 'in the way')
    await assert.rejects(hive.approve(proposal))
    rmSync(lock)
    assert.equal((await hive.settled(proposal.id)).state, 'deployed', await hive.log(proposal.id))
  })

  it('of the operator’s is not the manager’s to take back', async () => {
    await using hive = await openApprovalsInTest()
    const { id } = await hive.approvals.requestSpawn({ agent: 'bob', requester: 'operator', description: undefined })
    await assert.rejects(hive.approvals.cancel(id, 'manager'), { code: 'forbidden' })
  })

  it('keeps so much of a refusal that lists of them can be read', async () => {
    await using hive = await openApprovalsInTest()
    await assert.rejects(hive.propose(config({ ['k'.repeat(200_000)]: 1 })), { code: 'bad_input' })
    const [refused] = hive.approvals.list({ all: true, limit: 9 }).approvals
    assert.ok((refused?.note?.length ?? 0) < 5_000)
    assert.ok(JSON.stringify(hive.audit.list({ limit: 9 })).length < 5_000)
  })

  it('of a spawn brings a destroyed agent back with what it had', async () => {
    await using hive = await openApprovalsInTest()
    const { sha } = await hive.deploy(await hive.propose(config({ model: 'opus' })))
    await hive.lifecycle.destroy('alice', { purge: false })
    const asked = await hive.approvals.requestSpawn({ agent: 'alice', requester: 'operator', description: undefined })
    assert.equal((await hive.deploy(asked)).state, 'deployed')
    assert.equal(await hive.running(), sha)
  })
})

describe('a deploy', { timeout: 120_000 }, () => {
  it('whose agent is not well ends with what ran before', async () => {
    await using hive = await openApprovalsInTest({ healthMs: 300 })
    const before = hive.main()
    for (const [behaviour, why] of [
      ['silent', /did not say hello/],
      ['broken_tools', /extra/],
    ] as const) {
      const proposal = await hive.propose(config({ env: { BEHAVE: behaviour } }))
      const { state, note, tag } = await hive.deploy(proposal)
      assert.deepEqual([state, tag], ['failed', `failed/${proposal.id}`])
      assert.match(note ?? '', why)
      assert.match(git(hive.appliedOf('alice'), 'cat-file', 'tag', tag as string), why)
      assert.deepEqual(hive.tags(proposal.id), ['approved', 'building', 'failed', 'proposal'])
      assert.deepEqual([hive.main(), await hive.running()], [before, before])
      assert.match(await hive.log(proposal.id), /rolled back/)
      const news = (await hive.news()).slice(-2)
      assert.deepEqual(
        news.map(({ event, status, ok }) => [event, status ?? ok]),
        [
          ['approval_resolved', 'failed'],
          ['rebuilt', false],
        ],
      )
    }
    const epoch = hive.broker.store.epoch('alice')
    await hive.broker.send('operator', { to: 'alice', body: 'still there?' })
    const received = await hive.broker.recv('alice', { epoch, waitMs: 5_000, signal: WAITS })
    assert.equal(received[0]?.body, 'still there?')
  })

  it('that cannot be built touches nothing that runs', async () => {
    await using hive = await openApprovalsInTest()
    const before = (await hive.fake.list()).map(({ incarnation }) => incarnation)
    const proposal = await hive.propose(config({ env: { TOKEN: { secret: 'unset' } } }))
    assert.equal((await hive.deploy(proposal)).state, 'failed')
    assert.deepEqual(
      (await hive.fake.list()).map(({ incarnation }) => incarnation),
      before,
    )
  })

  it('whose former configuration cannot be started at once either is followed by further tries', async () => {
    let isBroken = false
    await using hive = await openApprovalsInTest({
      bend: (runtime) => ({
        async start(name) {
          if (isBroken && name === 'h-alice') throw new HiveError('unavailable', 'no sandbox today')
          return runtime.start(name)
        },
      }),
      lookMs: 20,
    })
    await hive.supervisor.reconcile()
    isBroken = true
    const proposal = await hive.propose(config({ model: 'opus' }))
    assert.equal((await hive.deploy(proposal)).state, 'failed')
    assert.match(await hive.log(proposal.id), /not well: .*no sandbox/)
    isBroken = false
    while ((await hive.running()) !== proposal.base) await hive.broker.changes.wait(20, WAITS)
  })

  it('goes on although the gateway cannot be told of a rollback', async () => {
    let isAway = false
    await using hive = await openApprovalsInTest({
      healthMs: 300,
      configureGateway: async () => {
        if (isAway) throw new HiveError('unavailable', 'no gateway')
      },
    })
    isAway = true
    const proposal = await hive.propose(config({ model: 'opus' }))
    assert.equal((await hive.deploy(proposal)).state, 'failed')
    assert.equal(await hive.running(), proposal.base)
  })

  it('of an agent without a login is well: that is the operator’s to give', async () => {
    await using hive = await openApprovalsInTest()
    const proposal = await hive.propose(config({ env: { BEHAVE: 'needs_login' } }))
    assert.equal((await hive.deploy(proposal)).state, 'deployed')
  })

  it('delivers nothing before it is known to be well', async () => {
    await using hive = await openApprovalsInTest({ healthMs: 2_000 })
    const proposal = await hive.propose(config({ env: { BEHAVE: 'silent' } }))
    await hive.approve(proposal)
    await hive.broker.send('operator', { to: 'alice', body: 'later' })
    while (hive.approvals.get(proposal.id).step !== 'checking')
      await hive.supervisor.link('alice').changes.wait(5, WAITS)
    const recv = (waitMs: number) =>
      hive.broker.recv('alice', { epoch: hive.broker.store.epoch('alice'), waitMs, signal: WAITS })
    assert.deepEqual(await recv(0), [])
    await hive.settled(proposal.id)
    assert.deepEqual(
      (await recv(5_000)).map(({ body }) => body),
      ['later'],
    )
  })

  it('tells the agent, once it has another life', async () => {
    await using hive = await openApprovalsInTest({ healthMs: 300 })
    const good = await hive.propose(config({ model: 'opus' }))
    await hive.deploy(good)
    const silent = await hive.propose(config({ env: { BEHAVE: 'silent' } }))
    await hive.deploy(silent)
    const stuck = await hive.propose({ 'agent.json': JSON.stringify({ env: { A: { secret: 'unknown' } } }) })
    await hive.deploy(stuck)
    const { messages } = await hive.broker.store.list({ agent: 'alice', limit: 10 })
    assert.deepEqual(
      messages.map(({ body }) => JSON.parse(body).reason),
      [
        `approval ${good.id}: you run with another configuration`,
        `approval ${silent.id} could not be deployed, and you run with what you had before`,
      ],
    )
  })

  it('of an agent that is stopped checks it, and leaves it stopped', async () => {
    await using hive = await openApprovalsInTest()
    await hive.lifecycle.kill('alice', { now: true })
    const proposal = await hive.propose(config({ model: 'opus' }))
    assert.equal((await hive.deploy(proposal)).state, 'deployed', await hive.log(proposal.id))
    assert.equal(await hive.running(), 'stopped')
    await hive.lifecycle.start('alice', { by: 'operator' }).catch(() => {})
    assert.equal(await hive.running(), proposal.sha)
  })

  it('makes an agent that was only configured, or leaves nothing of it', async () => {
    await using hive = await openApprovalsInTest({ healthMs: 300 })
    const asked = await hive.approvals.requestInitConfig({ agent: 'bob', requester: 'manager', description: undefined })
    assert.equal((await hive.deploy(asked)).state, 'deployed')
    assert.equal(hive.registry.has('bob'), false)
    const bad = await hive.propose(config({ env: { BEHAVE: 'silent' } }), { agent: 'bob' })
    assert.equal((await hive.deploy(bad)).state, 'failed')
    assert.equal(hive.registry.has('bob'), false)
    assert.deepEqual(hive.tags(bad.id, 'bob'), ['approved', 'building', 'failed', 'proposal'])
    const good = await hive.propose(config({ model: 'opus' }), { agent: 'bob' })
    assert.equal((await hive.deploy(good)).state, 'deployed', await hive.log(good.id))
    assert.equal(await hive.running('bob'), good.sha)
    const spawned = (await hive.news()).filter(({ event }) => event === 'spawned')
    assert.deepEqual(
      spawned.map(({ agent, ok }) => [agent, ok]),
      [
        ['bob', false],
        ['bob', true],
      ],
    )
  })

  it('is ended when its build hangs, and keeps so much of what a build says', async () => {
    let hang = false
    await using hive = await openApprovalsInTest({
      buildTimeoutMs: 200,
      bend: (runtime) => ({
        async build(source, log, signal) {
          log('chatter\n'.repeat(10_000))
          return hang ? new Promise(() => {}) : runtime.build(source, log, signal)
        },
      }),
    })
    hang = true
    const proposal = await hive.propose(config({ model: 'opus' }))
    const { state, note } = await hive.deploy(proposal)
    hang = false
    assert.equal(state, 'failed')
    assert.match(note ?? '', /longer than/)
    assert.equal(await hive.running(), hive.main())
    const lines = (await hive.log(proposal.id)).split('\n')
    assert.ok(lines.length <= 5_000)
  })

  it('waits its turn, and says which', async () => {
    const gate = createGate()
    await using hive = await openApprovalsInTest({ bend: gate.bend })
    gate.close()
    const first = await hive.propose(config({ model: 'a' }))
    const others = []
    for (const agent of ['bob', 'carol']) {
      others.push(await hive.approvals.requestSpawn({ agent, requester: 'operator', description: undefined }))
    }
    await hive.approve(first)
    for (const other of others) await hive.approve(other)
    while (hive.approvals.get(first.id).step !== 'building') await hive.broker.changes.wait(5, WAITS)
    assert.deepEqual(
      [first, ...others].map(({ id }) => hive.approvals.get(id).position),
      [null, 1, 2],
    )
    gate.open()
    for (const { id } of [first, ...others]) assert.equal((await hive.settled(id)).state, 'deployed')
  })

  it('that has ended is at no step any more, whenever one looks', async () => {
    await using hive = await openApprovalsInTest()
    const proposal = await hive.propose(config({ model: 'opus' }))
    await hive.approve(proposal)
    let seen = hive.approvals.get(proposal.id)
    for (; seen.state === 'approved'; seen = hive.approvals.get(proposal.id)) await nextTurn()
    assert.deepEqual([seen.state, seen.step], ['deployed', null])
  })

  it('that had moved main when the daemon was killed is what the next one starts the agent with', async () => {
    await using hive = await openApprovalsInTest()
    const { id, sha, base } = await hive.propose(config({ model: 'opus' }))
    await hive.db.write(() => hive.db.run(`UPDATE approvals SET state = 'approved' WHERE id = ?`, id))
    await hive.repositories.promote('alice', id, { sha: sha as string, base: base as string })
    const next = new Deployments(hive.deploymentsOptions)
    assert.equal(next.deployed('alice')?.sha, base)
    assert.equal(await next.prepare('alice'), sha)
    assert.deepEqual([next.deployed('alice')?.approval, next.get('alice').config.model], [id, 'opus'])
  })

  it('shows as its configuration what was deployed, not what waits', async () => {
    await using hive = await openApprovalsInTest()
    const deployments = new Deployments(hive.deploymentsOptions)
    await hive.propose(config({ model: 'opus' }))
    assert.deepEqual(await deployments.configText('nobody'), { sha: null, text: null })
    const { sha, text } = await deployments.configText('alice')
    assert.equal(sha, await hive.repositories.main('alice'))
    assert.ok(text !== null && !text.includes('opus'))
  })

  it('names the secrets that are missing', async () => {
    await using hive = await openApprovalsInTest()
    const files = config({ env: { TOKEN: { secret: 'github' } } })
    const without = await hive.propose(files)
    assert.match((await hive.deploy(without)).note ?? '', /github/)
    await hive.secrets.set('github', 'ghp_x')
    const withIt = await hive.propose(files, { parent: `proposal/${without.id}` })
    assert.equal((await hive.deploy(withIt)).state, 'deployed', await hive.log(withIt.id))
    assert.deepEqual(hive.deployments.usersOf('github'), ['alice'])
  })
})
