import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Git } from './git.ts'
import { gitGuard } from './git-config.ts'
import { keepRepositories } from './keep-repositories.ts'
import { makeRoom, type Room } from './test-room.ts'

const keep = ({ places }: Room): Promise<string[]> => keepRepositories(new Git(places), places)

/** Has git run a program of whoever wrote the config; gives the file that shows that it ran. */
function setTrap(repository: string): string {
  const canary = join(repository, 'canary')
  const config = join(repository, '.git', 'config')
  writeFileSync(config, `${readFileSync(config, 'utf8')}[core]\n\tfsmonitor = "touch '${canary}'; false"\n`)
  return canary
}

describe('the manager’s repositories', () => {
  test('are clones in which what runs, and each step to it, is known', async () => {
    using room = makeRoom()
    const { places, git, clone } = room
    const first = room.deploy('alice', 0, { 'agent.json': '{}' })
    room.deploy('manager', 0, { 'agent.json': '{"model":"haiku"}' })
    if (room.isRoot) assert.throws(() => git(places.applied, '-C', 'alice', 'log', 'main'), /dubious ownership/)

    assert.deepEqual(await keep(room), [])

    const second = room.deploy('alice', 3, { 'agent.json': '{"model":"opus"}' })
    const alice = clone('alice')
    git(alice, 'fetch', 'applied')
    assert.equal(git(alice, 'log', '--format=%H', 'applied/main'), `${second}\n${first}\n`)
    assert.match(git(alice, 'show', 'applied/deployed/3'), /\+\{"model":"opus"\}/)
    assert.match(git(alice, 'show', 'applied/refs/tags/deployed/3'), /\+\{"model":"opus"\}/)
    assert.match(git(alice, 'show', 'applied/deployed/0'), /\+\{\}/)
    assert.equal(git(alice, 'tag'), '', 'tags of its own stay its own')
    assert.match(git(alice, 'status', '--short', '--branch'), /^## main\.\.\.applied\/main \[behind 1\]$/m)
    git(alice, 'rebase', '--quiet', 'applied/main')
    assert.equal(readFileSync(join(alice, 'agent.json'), 'utf8'), '{"model":"opus"}')

    assert.equal(readFileSync(join(clone('manager'), 'agent.json'), 'utf8'), '{"model":"haiku"}')
    assert.match(git(places.meta, 'log'), /change deployments.json/)
    assert.match(git(join(places.applied, 'alice'), 'log', 'main'), /change agent.json/)
    room.commit('alice', { 'notes.md': 'hi' })
    assert.equal(git(alice, 'log', '-1', '--format=%an <%ae>'), 'manager <manager@hive>\n')
  })

  test('keep the manager’s commits, branches and work tree', async () => {
    using room = makeRoom()
    const { git, clone } = room
    room.deploy('alice', 0, { 'agent.json': '{}' })
    await keep(room)
    const mine = room.commit('alice', { 'agent.json': '{"model":"opus"}' })
    git(clone('alice'), 'checkout', '--quiet', '-b', 'idea')
    writeFileSync(join(clone('alice'), 'agent.json'), 'half done')
    const theirs = room.deploy('alice', 1, { 'tool.js': '' })

    assert.deepEqual(await keep(room), [])
    assert.equal(git(clone('alice'), 'rev-parse', 'main', 'applied/main'), `${mine}\n${theirs}\n`)
    assert.match(git(clone('alice'), 'status', '--short', '--branch'), /^## idea\n M agent.json$/m)
    assert.equal(readFileSync(join(clone('alice'), 'agent.json'), 'utf8'), 'half done')
  })

  test('have their remote put right', async () => {
    using room = makeRoom()
    const { git, clone } = room
    room.deploy('alice', 0, { 'agent.json': '{}' })
    room.deploy('bob', 0, { 'agent.json': '{}' })
    await keep(room)
    git(clone('alice'), 'remote', 'set-url', 'applied', '/nowhere')
    git(clone('alice'), 'config', '--add', 'remote.applied.uploadpack', 'false')
    git(clone('alice'), 'config', '--unset-all', 'remote.applied.fetch')
    git(clone('bob'), 'remote', 'remove', 'applied')
    const mains = ['alice', 'bob'].map((agent) => room.deploy(agent, 1, { 'agent.json': '{"model":"opus"}' }))

    assert.deepEqual(await keep(room), [])
    const known = ['alice', 'bob'].map((agent) => git(clone(agent), 'rev-parse', 'applied/refs/tags/deployed/1').trim())
    assert.deepEqual(known, mains)
  })

  test('forget what an agent of the same name had before it was purged', async () => {
    using room = makeRoom()
    const { git, places, clone } = room
    room.deploy('alice', 0, { 'agent.json': '{}' })
    room.deploy('alice', 1, { 'agent.json': '{"model":"opus"}' })
    await keep(room)
    room.purge('alice')
    const anew = room.deploy('alice', 0, { 'agent.json': '{"model":"haiku"}' })
    assert.deepEqual(await keep(room), [])
    assert.equal(git(clone('alice'), 'rev-parse', 'applied/main', 'applied/deployed/0'), `${anew}\n${anew}\n`)
    assert.throws(() => git(clone('alice'), 'rev-parse', '--verify', 'applied/deployed/1'))
    assert.deepEqual(readdirSync(places.proposed), ['alice'])
  })

  test('go with their agent, but nothing goes that the manager made', async () => {
    using room = makeRoom()
    const { git, places, clone } = room
    for (const agent of ['alice', 'bob', 'carol', 'dave']) room.deploy(agent, 0, { 'agent.json': '{}' })
    await keep(room)
    git(clone('bob'), 'remote', 'set-url', 'applied', join(places.applied, 'alice'))
    git(clone('carol'), 'remote', 'rename', 'applied', 'old')
    git(places.proposed, 'init', '--quiet', 'mine')
    git(places.proposed, 'clone', '--quiet', '--origin', 'applied', clone('carol'), 'Notes')
    mkdirSync(clone('erin'))
    symlinkSync(clone('alice'), clone('frank'))
    for (const agent of ['bob', 'carol', 'dave']) room.purge(agent)

    assert.deepEqual(await keep(room), [])
    assert.deepEqual(readdirSync(places.proposed).sort(), ['Notes', 'alice', 'bob', 'carol', 'erin', 'frank', 'mine'])
    assert.ok(existsSync(join(clone('alice'), 'agent.json')))
  })

  test('are made anew where one that died had begun', async () => {
    using room = makeRoom()
    const { places, git, clone } = room
    room.deploy('alice', 0, { 'agent.json': '{}' })
    git(places.proposed, 'init', '--quiet', '.making-alice')
    git(places.proposed, 'init', '--quiet', '.making-gone')
    assert.deepEqual(await keep(room), [])
    assert.deepEqual(readdirSync(places.proposed), ['alice'])
    assert.equal(readFileSync(join(clone('alice'), 'agent.json'), 'utf8'), '{}')
  })

  test('are kept although one is in the way of its own', async () => {
    using room = makeRoom()
    const { git, clone } = room
    for (const agent of ['alice', 'bob', 'carol', 'dave', 'erin']) room.deploy(agent, 0, { 'agent.json': '{}' })
    mkdirSync(clone('alice'))
    writeFileSync(join(clone('alice'), 'mine.txt'), 'mine')
    symlinkSync(room.agents, clone('bob'))
    mkdirSync(join(clone('carol'), '.git'), { recursive: true })
    writeFileSync(clone('dave'), 'a file')

    const troubles = await keep(room)
    assert.equal(troubles.length, 4)
    for (const [i, name] of ['alice', 'bob', 'carol', 'dave'].entries())
      assert.match(troubles[i] ?? '', new RegExp(name))
    assert.match(troubles[0] ?? '', /is no clone of .*move it away/)
    assert.deepEqual(readdirSync(clone('alice')), ['mine.txt'])
    assert.deepEqual(readdirSync(room.agents), [])
    assert.match(git(clone('erin'), 'log', 'applied/main'), /change agent.json/)
  })

  test('are kept whatever the manager wrote into their config; nothing that it names is run', async () => {
    using room = makeRoom()
    const { git, clone } = room
    const agents = ['alice', 'bob', 'carol', 'dave']
    for (const agent of agents) room.deploy(agent, 0, { 'agent.json': '{}' })
    await keep(room)
    const canary = setTrap(clone('alice'))
    const hook = join(clone('alice'), '.git', 'hooks')
    mkdirSync(hook)
    writeFileSync(join(hook, 'reference-transaction'), `#!/bin/sh\ntouch '${canary}'\n`, { mode: 0o755 })
    writeFileSync(join(clone('bob'), '.git', 'config'), '[core\nthis is no config')
    git(clone('carol'), 'config', `url.ext::sh -c "touch ${canary}" #.insteadOf`, room.places.applied)
    for (const agent of agents) room.deploy(agent, 1, { 'agent.json': '{"model":"opus"}' })

    const troubles = await keep(room)
    assert.equal(troubles.length, 2)
    assert.match(troubles[0] ?? '', /bob: .*bad config line 1/)
    assert.match(troubles[1] ?? '', /transport 'ext' not allowed/)
    assert.ok(!existsSync(canary))
    for (const agent of ['alice', 'dave']) assert.match(git(clone(agent), 'show', 'applied/main'), /opus/)
  })

  test('leave the manager’s own settings of git alone', async () => {
    using room = makeRoom()
    const { git, places, clone } = room
    room.deploy('alice', 0, { 'agent.json': '{}' })
    await keep(room)
    git(places.home, 'config', '--global', 'alias.last', 'log -1')
    git(places.home, 'config', '--global', 'user.name', 'the boss')
    room.deploy('bob', 0, { 'agent.json': '{}' })
    assert.deepEqual(await keep(room), [])
    assert.match(git(clone('alice'), 'last'), /change agent.json/)
    assert.equal(git(clone('bob'), 'config', 'user.name'), 'the boss\n')
    if (room.isRoot) assert.match(git(join(places.applied, 'bob'), 'log', 'main'), /change agent.json/)
  })

  test('tell when there is nothing to be kept', async () => {
    using room = makeRoom()
    const places = { ...room.places, applied: join(room.places.applied, 'nowhere') }
    room.deploy('alice', 0, { 'agent.json': '{}' })
    await keep(room)
    assert.match((await keepRepositories(new Git(places), places)).join(), /ENOENT/)
    assert.deepEqual(readdirSync(room.places.proposed), ['alice'])
  })
})

describe('a repository of another agent', () => {
  /** An agent's own repository that wants to run its code in the manager. */
  function makeEvil(room: Room, name = 'evil'): { repository: string; canary: string } {
    const repository = join(room.agents, name)
    room.git(room.agents, 'init', '--quiet', repository)
    return { repository, canary: setTrap(repository) }
  }

  test('is refused by the manager’s git, for its owner is another', async (t) => {
    using room = makeRoom()
    if (!room.isRoot) return t.skip('needs two uids')
    room.deploy('alice', 0, { 'agent.json': '{}' })
    await keep(room)
    const { repository, canary } = makeEvil(room)
    room.git(repository, 'status')
    assert.ok(existsSync(canary), 'the trap works where the owner is trusted')

    const { repository: other, canary: otherCanary } = makeEvil(room, 'other')
    room.giveAway(other)
    assert.deepEqual(await gitGuard(room.places), {}, 'nothing else is needed')
    assert.throws(() => room.git(other, 'status'), /dubious ownership/)
    assert.throws(() => room.git(room.clone('alice'), 'fetch', other), /dubious ownership/)
    assert.ok(!existsSync(otherCanary))
  })

  test('is refused also where all agents have one uid', async () => {
    using room = makeRoom()
    room.deploy('alice', 0, { 'agent.json': '{}' })
    room.takeBack()
    await keep(room)
    const { repository, canary } = makeEvil(room)
    const guard = await gitGuard(room.places)
    assert.throws(() => room.gitWith(guard, repository, 'status'), /dubious ownership/)
    assert.throws(() => room.gitWith(guard, room.clone('alice'), 'fetch', repository), /dubious ownership/)
    assert.ok(!existsSync(canary))

    const alice = room.clone('alice')
    room.gitWith(guard, alice, 'fetch', 'applied')
    assert.match(room.gitWith(guard, alice, 'log', 'applied/main'), /change agent.json/)
    assert.match(room.gitWith(guard, room.places.meta, 'log'), /change deployments.json/)
    room.git(repository, 'status')
    assert.ok(existsSync(canary), 'without the guard its code would have run')
  })
})
