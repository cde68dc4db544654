import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { FIRST_AGENT_UID, GATEWAY_UID } from '../../src/host/layout.ts'
import { startTestHive, type TestHive } from '../hive.ts'

/** Has an agent run a command and gives what it printed, as its model was told. */
async function runIn(hive: TestHive, agent: string, command: string): Promise<string> {
  const { id } = await (await hive.host()).send({ to: agent, body: `bash ${command}` })
  return hive.output(agent, id)
}

describe('what agents see of each other', { timeout: 90_000 }, () => {
  test('the manager reads everybody’s notes and writes nobody’s; an agent sees its own', async () => {
    await using hive = await startTestHive()
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    assert.match(await runIn(hive, 'alice', 'echo secret plan > /state/notes.md; ls /'), /state/)

    assert.match(await runIn(hive, 'manager', 'cat /agents/alice/state/notes.md'), /secret plan/)
    const tries =
      'for d in /agents/alice/state /applied /meta; do touch $d/x 2>/dev/null && echo wrote $d; done; touch /proposed/x && echo kept'
    assert.equal((await runIn(hive, 'manager', tries)).trim(), 'kept')

    const elsewhere =
      'for d in /agents /applied /meta /proposed /run/hive/../agents; do ls $d 2>/dev/null && echo sees $d; done; echo none'
    assert.equal((await runIn(hive, 'alice', elsewhere)).trim(), 'none')
    assert.equal(
      (await runIn(hive, 'alice', 'touch /run/hive/x /opt/hive/x 2>/dev/null; ls /run/hive')).trim(),
      'mcp.sock',
    )

    // An agent that comes later is there at once.
    await host.spawn({ name: 'bob' })
    await runIn(hive, 'bob', 'echo hi > /state/notes.md; echo')
    assert.match(await runIn(hive, 'manager', 'cat /agents/bob/state/notes.md'), /hi/)
  })

  test('every directory has the owner and the mode that keep others out, whatever the umask', async () => {
    const umask = process.umask(0o077)
    await using hive = await startTestHive().finally(() => process.umask(umask))
    await (await hive.host()).spawn({ name: 'alice' })
    assert.equal((await runIn(hive, 'alice', 'echo well')).trim(), 'well')
    const isRoot = process.getuid?.() === 0
    const daemon = process.getuid?.() ?? 0
    // Slot 0 is the manager's, alice has slot 1; an ordinary user has no uids to give.
    const [manager, alice, gateway] = isRoot
      ? [FIRST_AGENT_UID, FIRST_AGENT_UID + 1, GATEWAY_UID]
      : [daemon, daemon, daemon]
    const look = (path: string) => {
      const { uid, gid, mode } = statSync(path)
      return { uid, gid, mode: (mode & 0o7777).toString(8) }
    }
    const own = process.getgid?.() ?? 0
    const groupOf = (uid: number) => (isRoot ? uid : own)
    const socketDirectory = isRoot ? '2750' : '700'
    const { stateDir, runDir } = hive
    for (const [path, uid, gid, mode] of [
      [stateDir, daemon, own, '711'],
      [runDir, daemon, own, '711'],
      [join(stateDir, 'hive.sqlite'), daemon, own, '600'],
      [join(stateDir, 'hive.sqlite-wal'), daemon, own, '600'],
      [join(stateDir, 'events.sqlite'), daemon, own, '600'],
      [join(stateDir, 'agents'), daemon, own, '711'],
      [join(stateDir, 'containers'), daemon, own, '711'],
      [join(stateDir, 'credentials'), daemon, own, '711'],
      [join(stateDir, 'credentials/alice'), alice, groupOf(alice), '700'],
      [join(stateDir, 'agents/alice'), daemon, own, '711'],
      [join(stateDir, 'agents/alice/state'), alice, groupOf(manager), '2750'],
      [join(stateDir, 'proposed'), manager, groupOf(manager), '700'],
      [join(stateDir, 'applied'), daemon, own, '755'],
      [join(stateDir, 'applied/alice'), daemon, own, '755'],
      [join(stateDir, 'meta'), daemon, own, '755'],
      [join(stateDir, 'meta/deployments.json'), daemon, own, '644'],
      [join(stateDir, 'deployments'), daemon, own, '711'],
      [join(stateDir, 'deployments/alice'), daemon, own, '755'],
      [join(stateDir, 'gateway'), gateway, groupOf(gateway), '700'],
      [join(runDir, 'host.sock'), daemon, own, '600'],
      [join(runDir, 'agents'), daemon, own, '711'],
      [join(runDir, 'agents/alice'), daemon, groupOf(alice), socketDirectory],
      [join(runDir, 'agents/alice/mcp.sock'), daemon, groupOf(alice), '660'],
      [join(runDir, 'egress'), daemon, own, '711'],
      [join(runDir, 'egress/alice'), gateway, groupOf(alice), socketDirectory],
      [join(runDir, 'egress/alice/egress.sock'), gateway, groupOf(alice), '660'],
    ] as const) {
      assert.deepEqual({ path, ...look(path) }, { path, uid, gid, mode })
    }
    const ofAlice = 'until [ -e /proposed/alice/agent.json ]; do sleep 0.1; done; cat /agents/alice/config/agent.json'
    assert.match(await runIn(hive, 'manager', ofAlice), /schema/)
    assert.match(await runIn(hive, 'manager', 'git -C /meta log --format=%s'), /deploy alice deployed\/0/)
    assert.match(await runIn(hive, 'alice', 'cat /config/agent.json'), /schema/)
  })

  test('an agent that is destroyed and spawned again finds its notes; purged, it does not', async () => {
    await using hive = await startTestHive()
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    await runIn(hive, 'alice', 'echo remember > /state/notes.md; echo')
    const state = join(hive.stateDir, 'agents/alice/state')
    const owner = statSync(state).uid

    await host.destroy({ agent: 'alice' })
    await assert.rejects(host.send({ to: 'alice', body: 'say x' }), { code: 'not_found', message: /was destroyed/ })
    await host.spawn({ name: 'alice' })
    assert.equal(statSync(state).uid, owner)
    assert.match(await runIn(hive, 'alice', 'cat /state/notes.md'), /remember/)

    await host.destroy({ agent: 'alice', purge: true })
    await host.spawn({ name: 'alice' })
    assert.equal((await runIn(hive, 'alice', 'ls /state; echo empty')).trim(), 'empty')
  })
})
