import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { HiveError } from '../wire/errors.ts'
import { openTestGateway, type TestGateway } from './gateway-in-test.ts'
import { exchange, listenLocally, openSocket } from './proxy-in-test.ts'

describe('the gateway', { timeout: 60_000 }, () => {
  const origin = createServer((_incoming, outgoing) => outgoing.end('from the origin'))
  let gateway: TestGateway
  let endpoint: string

  before(async () => {
    endpoint = `127.0.0.1:${await listenLocally(origin)}`
    gateway = await openTestGateway()
  })
  after(async () => {
    await gateway[Symbol.asyncDispose]()
    origin.closeAllConnections()
    origin.close()
  })
  const ask = async (agent: string, url = `http://${endpoint}/`) =>
    exchange(await openSocket(gateway.socketOf(agent)), `GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`)
  const openTunnel = async (agent: string, target = endpoint): Promise<Socket> => {
    const socket = await openSocket(gateway.socketOf(agent))
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await once(socket, 'data')
    return socket
  }

  test('serves each agent by its own list, from the next request on', async () => {
    await gateway.configure([{ name: 'alice' }, { name: 'bob', allow: ['example.com'] }], [endpoint])
    assert.match(await ask('alice'), /from the origin/)
    assert.match(await ask('bob', 'http://8.8.8.8/'), /403[\s\S]*egress list/)
    await gateway.configure([{ name: 'alice' }, { name: 'bob', allow: ['10.0.0.1'] }], [endpoint])
    assert.match(await ask('bob', 'http://10.0.0.1/'), /403[\s\S]*not a public address/)
  })

  test('knows an endpoint in whatever spelling it was configured', async () => {
    await gateway.configure([{ name: 'alice' }], [endpoint.replace('127.0.0.1', '127.1')])
    assert.match(await ask('alice'), /from the origin/)
    await gateway.configure([{ name: 'alice' }], [])
    assert.match(await ask('alice'), /403[\s\S]*loopback/)
  })

  test('counts and logs requests, without what may be secret', async () => {
    await gateway.configure([{ name: 'alice' }], [endpoint])
    const before = (await gateway.call().counts({})).agents.alice ?? { allowed: 0, refused: 0, model: 0 }
    await ask('alice', `http://${endpoint}/secret-path?secret-key`)
    await ask('alice', 'http://127.0.0.1:22/secret-path')
    const { agents } = await gateway.call().counts({})
    assert.deepEqual(agents.alice, { ...before, allowed: before.allowed + 1, refused: before.refused + 1 })
    const text = readFileSync(gateway.logOf('alice'), 'utf8')
    assert.doesNotMatch(text, /secret/)
    const [passed, refused] = text
      .trimEnd()
      .split('\n')
      .slice(-2)
      .map((line) => JSON.parse(line))
    assert.deepEqual([passed.agent, passed.verdict, `${passed.host}:${passed.port}`], ['alice', 'passed', endpoint])
    assert.deepEqual([refused.verdict, refused.port], ['refused', 22])
    assert.match(refused.reason, /loopback/)
  })

  test('counts what goes to the model apart', async () => {
    const alice = { name: 'alice', socket: gateway.socketOf('alice') }
    await gateway.configure([{ name: 'alice' }], [endpoint])
    const modelOf = async () => (await gateway.call().counts({})).agents.alice?.model ?? 0
    const before = await modelOf()
    await ask('alice')
    assert.equal(await modelOf(), before)
    // In whatever spelling.
    const model = [endpoint.replace('127.0.0.1', '127.1')]
    await gateway.call().configure({ agents: [alice], endpoints: [endpoint], model })
    await ask('alice')
    await ask('alice', 'http://127.0.0.1:22/')
    const tunnel = await openTunnel('alice')
    const closed = once(tunnel, 'close')
    tunnel.destroy()
    await closed
    while ((await modelOf()) < before + 2) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(await modelOf(), before + 2)
  })

  test('takes a thousand connections of one agent without harm to another', async () => {
    await gateway.configure([{ name: 'alice' }, { name: 'bob' }], [endpoint])
    const flood: Socket[] = []
    while (flood.length < 1_000) flood.push(await openSocket(gateway.socketOf('bob')))
    assert.match(await ask('alice'), /from the origin/)
    for (const socket of flood) socket.destroy()
  })

  test('ends what an agent has open once it is gone, and leaves the others alone', async () => {
    await gateway.configure([{ name: 'alice' }, { name: 'bob' }], [endpoint])
    const [kept, lost] = [await openTunnel('alice'), await openTunnel('bob')]
    const closed = once(lost, 'close')
    lost.resume()
    await gateway.configure([{ name: 'alice' }], [endpoint])
    await closed
    assert.ok(!existsSync(gateway.socketOf('bob')))
    kept.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    assert.match(String((await once(kept, 'data'))[0]), /from the origin/)
    kept.destroy()
  })

  test('ends what is open to where nobody may go any more, and nothing else', async () => {
    const other = createServer((_incoming, outgoing) => outgoing.end('from the other'))
    const otherEndpoint = `127.0.0.1:${await listenLocally(other)}`
    await gateway.configure([{ name: 'alice' }], [endpoint, otherEndpoint])
    const [kept, lost] = [await openTunnel('alice'), await openTunnel('alice', otherEndpoint)]
    const closed = once(lost, 'close')
    lost.resume()
    await gateway.configure([{ name: 'alice', allow: ['example.com'] }], [endpoint])
    await closed
    kept.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    assert.match(String((await once(kept, 'data'))[0]), /from the origin/)
    kept.destroy()
    other.close()
  })

  test('makes a socket anew that somebody removed', async () => {
    await gateway.configure([{ name: 'alice' }], [endpoint])
    unlinkSync(gateway.socketOf('alice'))
    await gateway.configure([{ name: 'alice' }], [endpoint])
    assert.match(await ask('alice'), /from the origin/)
  })

  test('serves the others when the directory of one is missing, and says which', async () => {
    const missing = { name: 'carol', socket: gateway.socketOf('carol') }
    const sound = { name: 'alice', socket: gateway.socketOf('alice') }
    const { unserved } = await gateway.call().configure({ agents: [missing, sound], endpoints: [endpoint] })
    assert.deepEqual(Object.keys(unserved), ['carol'])
    assert.match(await ask('alice'), /from the origin/)
  })

  test('refuses a configuration that it cannot read, and keeps the one it has', async () => {
    await gateway.configure([{ name: 'alice' }], [endpoint])
    const isBadInput = (error: HiveError) => error.code === 'bad_input'
    const agent = { name: 'alice', socket: gateway.socketOf('alice') }
    await assert.rejects(gateway.call().configure({ agents: [], endpoints: ['nonsense'] }), isBadInput)
    await assert.rejects(gateway.call().configure({ agents: [{ ...agent, allow: ['*'] }], endpoints: [] }), isBadInput)
    await assert.rejects(gateway.call().configure({ agents: [{ ...agent, name: '../x' }], endpoints: [] }), isBadInput)
    await gateway.end('SIGKILL')
    await gateway.start()
    assert.match(await ask('alice'), /from the origin/)
  })

  test('goes on as it was after it was killed, without being configured', async () => {
    await gateway.configure([{ name: 'alice' }, { name: 'bob', allow: ['example.com'] }], [endpoint])
    await gateway.end('SIGKILL')
    await assert.rejects(openSocket(gateway.socketOf('alice')))
    await gateway.start()
    assert.match(await ask('alice'), /from the origin/)
    assert.match(await ask('bob', 'http://8.8.8.8/'), /403[\s\S]*egress list/)
  })

  test('starts, and lets nobody out, when what it kept cannot be read', async () => {
    await gateway.end('SIGKILL')
    rmSync(gateway.socketOf('alice'))
    writeFileSync(gateway.configFile, '{"agents":')
    await gateway.start()
    assert.ok(!existsSync(gateway.socketOf('alice')))
    await gateway.configure([{ name: 'alice' }], [endpoint])
    assert.match(await ask('alice'), /from the origin/)
  })

  test('serves on when its control socket is lost, and when its terminal is', async () => {
    await gateway.configure([{ name: 'alice' }], [endpoint])
    unlinkSync(gateway.control)
    process.kill(gateway.pid(), 'SIGHUP')
    assert.match(await ask('alice'), /from the origin/)
    assert.equal((await gateway.call().ping({})).revision, 'r1')
  })

  test('ends when it is told to, and logs what was under way', async () => {
    await gateway.configure([{ name: 'alice' }], [endpoint])
    const tunnel = await openTunnel('alice')
    const lines = () => readFileSync(gateway.logOf('alice'), 'utf8').split('\n').length
    const before = lines()
    assert.equal(await gateway.end('SIGTERM'), 0)
    assert.equal(lines(), before + 1)
    tunnel.destroy()
    await gateway.start()
  })
})

const IDS = { gateway: 1_949_999_001, agent: 1_949_999_002, other: 1_949_999_003 }
const isRoot = process.getuid?.() === 0

describe('the gateway of a daemon that is root', { timeout: 60_000, skip: isRoot ? false : 'needs root' }, () => {
  test('keeps nothing of root, and lets an agent connect to its own socket and change nothing', async () => {
    await using gateway = await openTestGateway(IDS)
    await gateway.configure([{ name: 'alice' }], [])
    const status = readFileSync(`/proc/${gateway.pid()}/status`, 'utf8')
    assert.match(status, new RegExp(`^Uid:(\\s${IDS.gateway}){4}$`, 'm'))
    assert.match(status, new RegExp(`^Gid:(\\s${IDS.gateway}){4}$`, 'm'))
    assert.match(status, /^Groups:\s*$/m)
    assert.match(status, /^CapEff:\s0+$/m)
    const { uid, gid, mode } = statSync(gateway.socketOf('alice'))
    assert.deepEqual([uid, gid, mode & 0o777], [IDS.gateway, IDS.agent, 0o660])

    const socket = gateway.socketOf('alice')
    const connect = `require('net').connect(process.argv[1]).on('connect',()=>process.exit(0)).on('error',e=>{console.log(e.code);process.exit(1)})`
    const remove = `try{require('fs').unlinkSync(process.argv[1])}catch(e){console.log(e.code)}`
    const as = (id: number, script: string) => {
      const options = { uid: id, gid: id, encoding: 'utf8' as const, cwd: '/', env: {} }
      const { status: code, stdout } = spawnSync('/proc/self/exe', ['-e', script, socket], {
        ...options,
        argv0: 'node',
      })
      return `${code} ${stdout.trim()}`
    }
    assert.equal(as(IDS.agent, connect), '0 ')
    assert.equal(as(IDS.other, connect), '1 EACCES')
    assert.equal(as(IDS.agent, remove), '0 EACCES')
  })

  test('comes back with new sockets of the same kind after it was killed', async () => {
    await using gateway = await openTestGateway(IDS)
    await gateway.configure([{ name: 'alice' }], [])
    await gateway.end('SIGKILL')
    await gateway.start()
    const { uid, gid, mode } = statSync(gateway.socketOf('alice'))
    assert.deepEqual([uid, gid, mode & 0o777], [IDS.gateway, IDS.agent, 0o660])
    const answer = await exchange(
      await openSocket(gateway.socketOf('alice')),
      'CONNECT 10.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n',
    )
    assert.match(answer, /403/)
  })
})
