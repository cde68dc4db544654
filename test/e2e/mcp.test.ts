import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { parseWake } from '../../src/demo/wake-text.ts'
import { wakePrompt } from '../../src/harness/turn/wake-prompt.ts'
import { execArgv } from '../../src/host/containers/bubblewrap/argv.ts'
import { agentUid } from '../../src/host/layout.ts'
import { agentPort } from '../../src/wire/names.ts'
import { startTestHive, type TestHive } from '../hive.ts'

describe('the tools of an agent over stdio', { timeout: 120_000 }, () => {
  let hive: TestHive
  before(async () => {
    hive = await startTestHive()
    await (await hive.host()).spawn({ name: 'alice' })
  })
  after(() => hive[Symbol.asyncDispose]())

  /** Runs in alice's container what the host may run there. */
  const argvInside = (...argv: string[]): [string, ...string[]] => {
    const run = JSON.parse(readFileSync(join(hive.stateDir, 'containers/h-alice/run.json'), 'utf8'))
    const uid = agentUid(1, process.getuid?.() ?? 0)
    const of = { initPid: run.processes.init.pid, uid, network: 'none', cgroupFiles: [] } as const
    const [command = '', ...args] = execArgv(of, argv)
    return [command, ...args]
  }
  const mcp = (...env: string[]) => argvInside('env', ...env, '/opt/hive/hive-ag3nt', 'mcp')
  /** What the server answers to these lines, and how it ends when they are over. */
  const talk = async ([command, ...args]: [string, ...string[]], lines: string[]) => {
    const child = spawn(command, args, { stdio: 'pipe' })
    const [stdout, stderr, exit] = [text(child.stdout), text(child.stderr), once(child, 'exit')]
    child.stdin.end(lines.map((line) => `${line}\n`).join(''))
    const answers = (await stdout).split('\n').filter(Boolean)
    return { answers: answers.map((line) => JSON.parse(line)), stderr: await stderr, code: (await exit)[0] }
  }
  const sentBy = async (agent: string) => {
    const { messages } = await (await hive.host()).messages({ agent: 'operator' })
    return messages.filter(({ from }) => from === agent).map(({ body }) => body)
  }

  test('pass with the official client, from inside the sandbox', async () => {
    const [command, ...args] = mcp('HIVE_LABEL=alice')
    const client = new Client({ name: 'test', version: '1' })
    await client.connect(new StdioClientTransport({ command, args }))
    try {
      const { tools } = await client.listTools()
      const ofTime = ['cancel_reminder', 'remind', 'reminders']
      assert.deepEqual(tools.map(({ name }) => name).sort(), [...ofTime, 'recv', 'send'].sort())
      const sent = await client.callTool({ name: 'send', arguments: { to: 'operator', body: 'hello' } })
      assert.equal(sent.isError, false)
      assert.deepEqual(await sentBy('alice'), ['hello'])
      const forged = await client.callTool({ name: 'send', arguments: { to: 'operator', body: 'x', from: 'operator' } })
      assert.equal(forged.isError, true)
      const idle = await client.callTool({ name: 'recv', arguments: {} })
      assert.match(JSON.stringify(idle.content), /no turn is in progress/)
      await assert.rejects(client.request({ method: 'resources/list' }, {} as never))
    } finally {
      await client.close()
    }
  })

  test('outlive lines that are no requests, and answer them as JSON-RPC wants it', async () => {
    const { answers, code } = await talk(mcp('HIVE_LABEL=alice'), [
      'hello?',
      '{"jsonrpc":"2.0","id":1,"result":{}}',
      '{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"no"}}',
      '[]',
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}',
      '{"jsonrpc":"2.0","id":3,"method":"ping","params":7}',
      '{"jsonrpc":"2.0","id":4,"method":"ping"}',
    ])
    assert.deepEqual(
      answers.map(({ id, error }) => [id, error?.code]).sort(),
      [
        [null, -32700],
        [null, -32600],
        [3, -32600],
        [4, undefined],
      ].sort(),
    )
    assert.equal(code, 0)
  })

  test('work in the Bash of the agent, which knows whose it is', async () => {
    const call = { name: 'send', arguments: { to: 'operator', body: 'from its shell' } }
    const request = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call })
    const done = await hive.tell('alice', `bash echo '${request}' | /opt/hive/hive-ag3nt mcp`)
    assert.equal(done.error, null)
    assert.ok((await sentBy('alice')).includes('from its shell'))
    await hive.tell('alice', 'bash echo $HIVE_LABEL $HIVE_PORT $HIVE_DASHBOARD_PORT > /state/identity')
    const identity = await readOutput(argvInside('cat', '/state/identity'))
    assert.match(identity, new RegExp(`^alice ${agentPort('alice')} \\d+\n$`))
  })

  test('say in one line that they are not where they belong', async () => {
    const { answers, stderr, code } = await talk(mcp(), [])
    assert.deepEqual([answers, code], [[], 1])
    assert.match(stderr, /^hive-ag3nt: .*HIVE_LABEL.*\n$/)
  })
})

const readOutput = ([command, ...args]: [string, ...string[]]): Promise<string> =>
  text(spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] }).stdout)

test('the scripted model reads what the harness writes', () => {
  const message = {
    id: 17,
    from: 'alice',
    standing: 'peer',
    body: 'two\nlines',
    attempt: 2,
    sentAt: 0,
    replyTo: 12,
    pending: 3,
  } as const
  const [wake] = parseWake(wakePrompt([message]))
  assert.deepEqual(wake, { id: 17, from: 'alice', standing: 'peer', attempt: 2, pending: 3, body: 'two\nlines' })
})
