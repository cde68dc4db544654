import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { serveOps } from '../../kit/op-server.ts'
import { agentOps, managerOps } from '../../wire/agent-ops.ts'
import { type Config, loadConfig } from '../config.ts'
import { makeRoom } from '../repositories/test-room.ts'
import { serveMcp } from './stdio.ts'

test('the manager proposes a commit over stdio as it does over its engine', async () => {
  using room = makeRoom()
  const base = room.deploy('alice', 0, { 'agent.json': '{}' })
  const { request_apply_commit } = managerOps
  const ops = { request_apply_commit }
  const socket = join(room.places.home, 'mcp.sock')
  const taken: string[] = []
  await using _server = await serveOps(
    ops,
    {
      request_apply_commit: ({ sha }) => {
        taken.push(sha)
        return { id: 7, sha, base }
      },
    },
    { path: socket },
  )
  const config = {
    ...loadConfig({ HIVE_LABEL: 'manager' }),
    ops: ops as unknown as Config['ops'],
    socket,
    repositories: room.places,
  }
  const call = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'request_apply_commit', arguments: { agent: 'alice', commit_ref: 'HEAD' } },
  }
  const output = new PassThrough()
  await serveMcp(config, Readable.from([Buffer.from(`${JSON.stringify(call)}\n`)]), output)
  output.end()
  assert.match(await text(output), /Approval 7: commit .* waits for the operator/)
  assert.deepEqual(taken, [base])
})

test('over stdio too only those may ask the operator whose configuration says so', async () => {
  using room = makeRoom()
  const socket = join(room.places.home, 'mcp.sock')
  const { ask_operator } = agentOps
  const ops = { ask_operator }
  await using _server = await serveOps(ops, { ask_operator: () => ({ id: 1 }) }, { path: socket })
  const agentConfig = join(room.places.home, 'agent.json')
  const config = { ...loadConfig({ HIVE_LABEL: 'alice' }), ops: ops as unknown as Config['ops'], socket, agentConfig }
  const listed = async () => {
    const output = new PassThrough()
    await serveMcp(config, Readable.from([Buffer.from('{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n')]), output)
    output.end()
    return text(output)
  }
  assert.doesNotMatch(await listed(), /ask_operator/)
  writeFileSync(agentConfig, '{ "askOperator": true }')
  assert.match(await listed(), /ask_operator/)
})
