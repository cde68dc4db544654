import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Scenario } from '../../src/demo/scenario.ts'
import { obey } from '../../src/demo/scenarios/obey.ts'
import { connectOps } from '../../src/kit/op-client.ts'
import { agentOps } from '../../src/wire/agent-ops.ts'
import type { Permission } from '../../src/wire/permissions.ts'
import { startTestHive, type TestHive } from '../hive.ts'
import { appliedOf, approve, git, propose } from '../proposals.ts'

/** Does what it is told, and writes a file where it is told. */
const writing: Scenario = {
  ...obey,
  rules: [
    {
      body: '^write (\\S+)$',
      do: [{ call: 'Write', with: { file_path: '{1}', content: 'written' } }, { say: '{result}' }],
    },
    {
      body: '^both$',
      do: [
        {
          calls: ['first', 'second'].map((name) => ({
            call: 'Bash',
            with: { command: `touch ${name} && echo ${name} made`, description: name },
          })),
        },
        { say: '{result}' },
      ],
    },
    ...obey.rules,
  ],
}

/** A hive whose alice may run git only. */
async function startGuarded(settings: Record<string, unknown> = {}): Promise<TestHive> {
  const hive = await startTestHive(settings, { scenarios: { default: writing } })
  await (await hive.host()).spawn({ name: 'alice' })
  const { id } = await propose(hive, 'alice', { 'agent.json': '{ "bash": ["git *"] }' })
  await approve(hive, id)
  assert.equal((await hive.decided(id)).state, 'deployed')
  return hive
}

/** Tells alice to do something, and gives what she asks to be permitted once her turn waits for it. */
async function askedFor(hive: TestHive, body: string): Promise<{ message: number; permission: Permission }> {
  const host = await hive.host()
  const { id: message } = await host.send({ to: 'alice', body })
  await hive.agent('alice', ({ state }) => state === 'asking')
  const { permissions } = await host.permissions({})
  assert.equal(permissions.length, 1)
  return { message, permission: permissions[0] as Permission }
}

const stateOf = async (hive: TestHive, id: number) => {
  const { permissions } = await (await hive.host()).permissions({ all: true })
  return permissions.find((permission) => permission.id === id)
}

describe('a use of a tool that a configuration does not allow', { timeout: 180_000 }, () => {
  let hive: TestHive
  before(async () => {
    hive = await startGuarded()
  })
  after(() => hive[Symbol.asyncDispose]())
  const outputOf = async (body: string) => {
    const { id } = await hive.tell('alice', body)
    return hive.output('alice', id)
  }

  test('waits for the operator, and is made once it is permitted', async () => {
    const { message, permission } = await askedFor(hive, 'bash touch made && echo made it')
    const { agent, tool, pattern, state } = permission
    assert.deepEqual([agent, tool, pattern, state], ['alice', 'Bash', null, 'pending'])
    assert.equal(JSON.parse(permission.input).command, 'touch made && echo made it')
    const host = await hive.host()
    assert.equal((await host.permit({ id: permission.id })).permission.state, 'permitted')
    assert.match(await hive.output('alice', message), /made it/)
    await assert.rejects(host.refuse({ id: permission.id }), { code: 'conflict' })
    // It was this one use: the next one is asked for again.
    const again = await askedFor(hive, 'bash touch made && echo made it')
    await host.refuse({ id: again.permission.id, message: 'not on \u001b[31mFridays' })
    assert.match(await hive.output('alice', again.message), /the operator refused it: not on .*Fridays/)
    const { entries } = await host.audit({ agent: 'alice' })
    assert.deepEqual(
      entries.filter(({ verb }) => ['permit', 'refuse'].includes(verb)).map(({ verb, actor }) => [verb, actor]),
      [
        ['permit', 'operator'],
        ['refuse', 'operator'],
      ],
    )
  })

  test('what is allowed is not asked for', async () => {
    assert.match(await outputOf('bash git --version'), /git version/)
    assert.deepEqual((await (await hive.host()).permissions({})).permissions, [])
  })

  test('goes on waiting when the daemon is killed, and the decision after that counts', async () => {
    const { message, permission } = await askedFor(hive, 'bash touch kept && echo kept it')
    await hive.kill()
    await hive.start()
    await hive.agent('alice', ({ state }) => state === 'asking')
    const host = await hive.host()
    assert.deepEqual(
      (await host.permissions({})).permissions.map(({ id }) => id),
      [permission.id],
    )
    await host.permit({ id: permission.id })
    assert.equal((await hive.message(message, ({ state }) => state === 'done')).attempt, 1)
    assert.match(await hive.output('alice', message), /kept it/)
  })

  test('is withdrawn when the turn is cancelled', async () => {
    const { message, permission } = await askedFor(hive, 'bash touch cancelled')
    const host = await hive.host()
    await host.cancel({ agent: 'alice' })
    assert.equal((await hive.message(message, ({ state }) => state === 'done')).error, 'cancelled')
    assert.equal((await stateOf(hive, permission.id))?.state, 'withdrawn')
    await assert.rejects(host.permit({ id: permission.id }), { code: 'conflict', message: /is withdrawn already/ })
    assert.match(await outputOf('bash git --version'), /git version/)
  })

  test('is withdrawn when its agent ends', async () => {
    const { permission } = await askedFor(hive, 'bash touch ended')
    await (await hive.host()).kill({ agent: 'alice', now: true })
    assert.equal((await stateOf(hive, permission.id))?.state, 'withdrawn')
    await (await hive.host()).start({ agent: 'alice' })
    // Its message comes again, and so does the question.
    await hive.agent('alice', ({ state }) => state === 'asking')
    const [again] = (await (await hive.host()).permissions({})).permissions
    await (await hive.host()).refuse({ id: again?.id as number })
    await hive.agent('alice', ({ state }) => state === 'idle')
  })

  test('can be proposed for good: a commit that adds a pattern, and grants nothing before it is deployed', async () => {
    const { message, permission } = await askedFor(hive, 'bash mkdir -p one')
    const { id, pattern } = permission
    assert.equal(pattern, 'mkdir -p one')
    const host = await hive.host()
    const { approval } = await host.propose_permission({ id, pattern: pattern as string })
    assert.deepEqual([approval.kind, approval.requester, approval.state], ['apply_commit', 'operator', 'pending'])
    assert.equal((await stateOf(hive, id))?.state, 'pending')
    await host.refuse({ id })
    await hive.message(message, ({ state }) => state === 'done')
    await assert.rejects(host.propose_permission({ id, pattern: 'git log *' }), { code: 'conflict' })
    await assert.rejects(host.propose_permission({ id, pattern: 'a(b)' }), { code: 'bad_input' })
    const { diff } = await host.show({ id: approval.id })
    assert.deepEqual(
      diff?.files.map(({ path }) => path),
      ['agent.json'],
    )
    await approve(hive, approval.id)
    assert.equal((await hive.decided(approval.id)).state, 'deployed')
    assert.equal(
      git(appliedOf(hive, 'alice'), 'show', 'main:agent.json'),
      '{\n  "bash": [\n    "git *",\n    "mkdir -p one"\n  ]\n}',
    )
    assert.equal((await hive.tell('alice', 'bash mkdir -p one')).state, 'done')
    assert.deepEqual((await host.permissions({})).permissions, [])
  })

  test('may be one of several that one reply asks for', async () => {
    const host = await hive.host()
    const { id: message } = await host.send({ to: 'alice', body: 'both' })
    const decided = new Set<number>()
    while ((await hive.agent('alice', ({ state, unread }) => state === 'asking' || unread === 0)).unread > 0) {
      const { permissions } = await host.permissions({})
      for (const { id, input } of permissions.filter(({ id }) => !decided.has(id))) {
        decided.add(id)
        await (input.includes('first') ? host.permit({ id }) : host.refuse({ id }))
      }
    }
    assert.equal(decided.size, 2)
    assert.match(await hive.output('alice', message), /first made.*refused/s)
  })

  test('may be one that the engine has looked at whatever is allowed; there no pattern helps', async () => {
    const { message, permission } = await askedFor(hive, 'write /state/.bashrc')
    assert.deepEqual([permission.tool, permission.pattern], ['Write', null])
    const host = await hive.host()
    await assert.rejects(host.propose_permission({ id: permission.id, pattern: 'touch *' }), { code: 'bad_input' })
    await host.permit({ id: permission.id })
    assert.match(await hive.output('alice', message), /created successfully/)
    const { id } = await hive.tell('alice', 'write /state/notes.md')
    assert.match(await hive.output('alice', id), /created successfully/)
  })

  test('cannot be asked for by another process of the sandbox', async () => {
    await using other = await connectOps(agentOps, join(hive.runDir, 'agents/alice/mcp.sock'))
    const call = { epoch: 1, request: 'x', tool: 'Bash', input: '{}' }
    await assert.rejects(other.call.ask_permission(call), { code: 'forbidden' })
    await assert.rejects(other.call.withdraw_permission({ epoch: 1, request: 'x' }), { code: 'forbidden' })
  })
})

describe('a permission that nobody decides', { timeout: 120_000 }, () => {
  test('is refused in the end, and the turn goes on; a hang it is not', async () => {
    await using hive = await startGuarded({ permissionSeconds: 3, hangSeconds: 1 })
    const { message, permission } = await askedFor(hive, 'bash touch late')
    const done = await hive.message(message, ({ state }) => state === 'done')
    assert.deepEqual([done.attempt, done.failures], [1, 0])
    assert.match(await hive.output('alice', message), /nobody decided within 3 s/)
    assert.equal((await stateOf(hive, permission.id))?.state, 'expired')
  })
})
