import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { parseWake } from '../../src/demo/wake-text.ts'
import { wakePrompt } from '../../src/harness/turn/wake-prompt.ts'
import { execArgv } from '../../src/host/containers/bubblewrap/argv.ts'
import { agentUid } from '../../src/host/layout.ts'
import { startTestHive } from '../hive.ts'

describe('the tools of an agent over stdio', { timeout: 60_000 }, () => {
  test('pass with the official client, from inside the sandbox', async () => {
    await using hive = await startTestHive()
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    const run = JSON.parse(readFileSync(join(hive.stateDir, 'containers/h-alice/run.json'), 'utf8'))
    const uid = agentUid(1, process.getuid?.() ?? 0)
    const [command, ...args] = execArgv({ initPid: run.processes.init.pid, uid, network: 'none', cgroupFiles: [] }, [
      'env',
      'HIVE_LABEL=alice',
      '/opt/hive/hive-ag3nt',
      'mcp',
    ])
    const client = new Client({ name: 'test', version: '1' })
    await client.connect(new StdioClientTransport({ command, args }))
    try {
      const { tools } = await client.listTools()
      assert.deepEqual(tools.map(({ name }) => name).sort(), ['recv', 'send'])
      const sent = await client.callTool({ name: 'send', arguments: { to: 'operator', body: 'hello' } })
      assert.equal(sent.isError, false)
      const { messages } = await host.messages({ agent: 'operator' })
      assert.deepEqual(
        messages.map(({ from, body }) => [from, body]),
        [['alice', 'hello']],
      )
      const forged = await client.callTool({ name: 'send', arguments: { to: 'operator', body: 'x', from: 'operator' } })
      assert.equal(forged.isError, true)
      const idle = await client.callTool({ name: 'recv', arguments: {} })
      assert.match(JSON.stringify(idle.content), /no turn is in progress/)
      await assert.rejects(client.request({ method: 'resources/list' }, {} as never))
    } finally {
      await client.close()
    }
  })
})

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
