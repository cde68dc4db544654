import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Scenario } from '../../src/demo/scenario.ts'
import { obey } from '../../src/demo/scenarios/obey.ts'
import { startTestHive, type TestHive } from '../hive.ts'
import { appliedOf, approve, git, propose, tagsOf } from '../proposals.ts'

/** A manager that does what it is told, its own tools included. */
const MANAGER: Scenario = {
  about: 'spawn NAME · init NAME · propose AGENT REF WHY',
  rules: [
    {
      body: '^spawn (\\S+)$',
      do: [{ call: 'mcp__hyperhive__request_spawn', with: { name: '{1}' } }, { say: '{result}' }],
    },
    {
      body: '^init (\\S+)$',
      do: [
        { call: 'mcp__hyperhive__request_init_config', with: { name: '{1}', reason: 'needed' } },
        { say: '{result}' },
      ],
    },
    {
      body: '^propose (\\S+) (\\S+) (.+)$',
      do: [
        {
          call: 'mcp__hyperhive__request_apply_commit',
          with: { agent: '{1}', commit_ref: '{2}', description: '{3}' },
        },
        { say: '{result}' },
      ],
    },
    ...obey.rules,
  ],
}

/** An agent with a tool server of its own: `ask` calls it. */
const DESK: Scenario = {
  about: 'ask',
  rules: [{ body: '^ask$', do: [{ call: 'mcp__tickets__list', with: {} }, { say: '{result}' }] }, ...obey.rules],
}

/** A tool server over stdio whose one tool says which token it was given. */
const TICKETS = `
import { createInterface } from 'node:readline'
const answers = {
  initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'tickets', version: '1' } }),
  'tools/list': () => ({ tools: [{ name: 'list', description: 'Lists', inputSchema: { type: 'object', properties: {} } }] }),
  'tools/call': () => ({ content: [{ type: 'text', text: 'tickets with ' + process.env.TICKETS_TOKEN }] }),
}
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line)
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result: answers[method]?.(params) ?? {} }))
}
`

const isRoot = process.getuid?.() === 0

describe('the configuration of an agent', { timeout: 240_000 }, () => {
  let hive: TestHive
  before(async () => {
    hive = await startTestHive({ healthSeconds: 20 }, { scenarios: { manager: MANAGER, desk: DESK } })
  })
  after(() => hive?.[Symbol.asyncDispose]())

  const bash = (command: string) => hive.tell('manager', `bash ${command}`)
  /** The manager writes agent.json, commits and proposes it. Gives the approval. */
  const change = async (agent: string, config: unknown, why = 'it is needed'): Promise<number> => {
    const write = `cd /proposed/${agent} && printf '%s' '${JSON.stringify(config)}' > agent.json`
    await bash(`${write} && git add -A && git commit -qm '${why}' && git log -1`)
    await hive.tell('manager', `propose ${agent} HEAD ${why}`)
    const { approvals } = await (await hive.host()).pending({ agent, all: false })
    const last = approvals.at(-1)
    assert.ok(last, `${agent}: nothing was proposed`)
    return last.id
  }
  const resolve = async (id: number) => {
    await approve(hive, id)
    return hive.decided(id)
  }
  const readDeployLog = async (id: number) =>
    (await (await hive.host()).deploy_log({ id })).lines.map(({ text }) => text).join('\n')

  it('of a new one is seen before there is a container', async () => {
    const host = await hive.host()
    await hive.tell('manager', 'init scout')
    const [asked] = (await host.pending({})).approvals
    assert.deepEqual(
      [asked?.agent, asked?.kind, asked?.state, asked?.requester, asked?.description],
      ['scout', 'init_config', 'pending', 'manager', 'needed'],
    )
    assert.deepEqual(
      (await host.needs({})).needs.map(({ kind }) => kind),
      ['approval'],
    )
    assert.equal((await resolve(asked?.id as number)).state, 'deployed')
    assert.equal((await host.list({})).agents.length, 1, 'only the manager')

    await bash('until [ -e /proposed/scout/agent.json ]; do sleep 0.1; done')
    const id = await change('scout', { model: 'sonnet', env: { FROM_CONFIG: 'yes' } }, 'scout thinks')
    const { diff, commit, approval } = await host.show({ id })
    assert.match(diff?.text ?? '', /^\+.*"model":"sonnet"/m)
    assert.deepEqual([diff?.base, diff?.sha], [approval.base, approval.sha])
    assert.match(commit?.message ?? '', /scout thinks/)
    const done = await resolve(id)
    assert.deepEqual([done.state, done.tag], ['deployed', `deployed/${id}`], await readDeployLog(id))

    const scout = await hive.agent('scout', ({ state }) => state === 'idle')
    assert.deepEqual([scout.sha, scout.model], [approval.sha, 'sonnet'])
    assert.equal(git(appliedOf(hive, 'scout'), 'rev-parse', 'main'), approval.sha)
    assert.deepEqual(tagsOf(hive, 'scout', id).sort(), ['approved', 'building', 'deployed', 'proposal'])
    assert.equal((await hive.tell('scout', 'bash echo seen: $FROM_CONFIG; cat /config/agent.json')).state, 'done')
    await hive.model.asked('seen: yes')
  })

  it('is what the manager sees in its repositories', async () => {
    const { sha } = await hive.agent('scout', () => true)
    await bash('cd /proposed/scout && git fetch -q applied && echo main: $(git log -1 --format=%H applied/main)')
    await hive.model.asked(`main: ${sha}`)
    await bash(
      'cd /proposed/scout && for t in deployed/2 refs/tags/deployed/2; do echo $t: $(git show -s --format=%H applied/$t); done',
    )
    await hive.model.asked(`deployed/2: ${sha}\\nrefs/tags/deployed/2: ${sha}`)
    await bash('git -C /meta log -1 --format=%s; cat /meta/deployments.json; ls /agents/scout/config/')
    await hive.model.asked(`deploy scout deployed/2 ${sha?.slice(0, 12)}`)
  })

  it('stays when a change is denied, and the manager is told why', async () => {
    const host = await hive.host()
    const { sha } = await hive.agent('scout', () => true)
    const id = await change('scout', { model: 'opus' })
    await host.deny({ id, reason: 'too dear' })
    assert.deepEqual(tagsOf(hive, 'scout', id).sort(), ['denied', 'proposal'])
    assert.match(git(appliedOf(hive, 'scout'), 'tag', '-n9', '--list', `denied/${id}`), /too dear/)
    await hive.model.asked('too dear')
    assert.equal((await hive.agent('scout', () => true)).sha, sha)
    await assert.rejects(host.approve({ id, base: sha, sha }), { code: 'conflict' })
  })

  it('comes back by itself when a tool server of the new one cannot start', async () => {
    const before = await hive.agent('scout', () => true)
    const id = await change('scout', { mcpServers: { broken: { command: '/no/such/program' } } })
    const failed = await resolve(id)
    assert.equal(failed.state, 'failed')
    assert.match(failed.note ?? '', /broken/)
    assert.deepEqual(tagsOf(hive, 'scout', id).sort(), ['approved', 'building', 'failed', 'proposal'])
    assert.match(git(appliedOf(hive, 'scout'), 'tag', '-n9', '--list', `failed/${id}`), /broken/)
    const now = await hive.agent('scout', ({ state }) => state === 'idle')
    assert.equal(now.sha, before.sha)
    assert.equal((await hive.tell('scout', 'bash echo after: $FROM_CONFIG')).state, 'done')
    await hive.model.asked('after: yes')
    await hive.model.asked(`failed/${id}`)
  })

  it('comes back when the harness of the new one never says hello', {
    skip: !isRoot && 'memory cannot be limited here',
  }, async () => {
    const before = await hive.agent('scout', () => true)
    const id = await change('scout', { limits: { memoryMiB: 64, pids: 16 } })
    assert.equal((await resolve(id)).state, 'failed')
    assert.equal((await hive.agent('scout', ({ state }) => state === 'idle')).sha, before.sha)
    assert.equal((await hive.tell('scout', 'say still here')).state, 'done')
  })

  it('is refused with the reason when it is wrong', async () => {
    await bash(`cd /proposed/scout && echo '{"modle": "x"}' > agent.json && git commit -qam 'a slip'`)
    await hive.tell('manager', 'propose scout HEAD a slip')
    await hive.model.asked('modle')
    assert.deepEqual((await (await hive.host()).pending({})).approvals, [])
    await bash('cd /proposed/scout && git reset -q --hard applied/main')
  })

  it('of another agent’s own repository runs nothing in the manager, which may look at its notes', async () => {
    const trap = 'touch /tmp/sprung; touch /proposed/sprung; false'
    await hive.tell(
      'scout',
      `bash mkdir -p /state/trap && cd /state/trap && git init -q . && git config core.fsmonitor '${trap}'`,
    )
    await bash(
      'git -C /agents/scout/state/trap status; git -C /agents/scout/state/trap diff; ls /tmp/sprung /proposed/sprung',
    )
    await hive.model.asked('dubious ownership')
    await hive.model.asked("cannot access '/proposed/sprung'")
    await hive.model.asked("cannot access '/tmp/sprung'")
  })

  it('decides whom it may write to', async () => {
    const id = await change('scout', { allowedRecipients: [] })
    assert.equal((await resolve(id)).state, 'deployed', await readDeployLog(id))
    await hive.tell('scout', 'send operator hello')
    await hive.model.asked('forbidden')
    const { messages } = await (await hive.host()).messages({ agent: 'operator' })
    assert.deepEqual(
      messages.filter(({ from }) => from === 'scout'),
      [],
    )
    assert.equal((await hive.tell('scout', 'send manager say it reached me')).state, 'done')
    await hive.model.asked('it reached me')
  })

  it('keeps its history when the agent is destroyed, and has it when it comes back', async () => {
    const host = await hive.host()
    const { sha } = await hive.agent('scout', () => true)
    const id = await change('scout', { model: 'opus' })
    await host.destroy({ agent: 'scout' })
    const ended = await hive.decided(id)
    assert.deepEqual([ended.state, ended.note], ['failed', 'scout was destroyed'])
    await hive.tell('manager', 'spawn scout')
    const [asked] = (await host.pending({})).approvals
    assert.equal((await resolve(asked?.id as number)).state, 'deployed')
    assert.equal((await hive.agent('scout', ({ state }) => state === 'idle')).sha, sha)
    await hive.model.asked('\\"spawned\\"')
  })

  it('gives an agent a tool server whose code is in its commit, a secret, and hosts that it may reach', async () => {
    const host = await hive.host()
    await host.spawn({ name: 'desk' })
    const tickets = {
      command: '/opt/hive/node',
      args: ['/config/tickets.mjs'],
      env: { TICKETS_TOKEN: { secret: 'tickets' } },
    }
    const files = {
      'tickets.mjs': TICKETS,
      'agent.json': JSON.stringify({ mcpServers: { tickets }, egress: ['tickets.example.com'] }),
    }
    const { id } = await propose(hive, 'desk', files)
    assert.match((await resolve(id)).note ?? '', /tickets/, 'the secret is missing')
    await host.set_secret({ name: 'tickets', value: 'tok-4711' })
    const again = await propose(hive, 'desk', files)
    assert.equal((await resolve(again.id)).state, 'deployed', await readDeployLog(again.id))
    await hive.agent('desk', ({ state }) => state === 'idle')
    assert.equal((await hive.tell('desk', 'ask')).state, 'done')
    await hive.model.asked('tickets with tok-4711')
    await hive.tell('desk', 'bash curl -s http://example.com/')
    await hive.model.asked('example.com:80 is not on this agent')
    await assert.rejects(host.remove_secret({ name: 'tickets' }), { code: 'conflict', message: /desk/ })
    const everything = JSON.stringify([
      await host.audit({ limit: 1000 }),
      await host.status({}),
      await host.config({ agent: 'desk' }),
      await readDeployLog(again.id),
    ])
    assert.ok(!everything.includes('tok-4711'))
    assert.deepEqual(await host.config({ agent: 'desk' }), { sha: again.sha, text: files['agent.json'] })
    assert.ok(!readFileSync(join(hive.stateDir, 'containers/h-desk/spec.json'), 'utf8').includes('tok-4711'))
  })

  it('leaves a trace of every decision', async () => {
    const host = await hive.host()
    const { entries } = await host.audit({ agent: 'scout', limit: 500 })
    const verbs = new Set(entries.map(({ actor, verb }) => `${actor} ${verb}`))
    for (const deed of [
      'manager request_init_config',
      'operator approve',
      'system deployed',
      'operator deny',
      'system failed',
      'operator destroy',
    ]) {
      assert.ok(verbs.has(deed), `${deed} is missing in ${[...verbs].join(', ')}`)
    }
    const { deploys } = await host.deploys({ agent: 'scout' })
    assert.deepEqual([...new Set(deploys.map(({ state }) => state))].sort(), ['deployed', 'failed'])
  })
})
