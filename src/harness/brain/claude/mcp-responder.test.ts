import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMcpResponder, type ToolServer } from './mcp-responder.ts'

const serve = (call: ToolServer['call'] = async () => ({ text: 'fine', isError: false })) =>
  createMcpResponder({ tools: () => [{ name: 'send', description: 'Send.', inputSchema: { type: 'object' } }], call })
const request = (id: number | string, method: string, params?: object) => ({ jsonrpc: '2.0', id, method, params })

test('introduces itself in the version it was asked for, lists its tools, answers pings', async () => {
  const responder = serve()
  const hello = await responder.answer(request(0, 'initialize', { protocolVersion: '2025-11-25' }))
  assert.deepEqual(hello, {
    jsonrpc: '2.0',
    id: 0,
    result: {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'hyperhive', version: '1' },
    },
  })
  const tools = [{ name: 'send', description: 'Send.', inputSchema: { type: 'object' } }]
  assert.deepEqual(await responder.answer(request(1, 'tools/list')), { jsonrpc: '2.0', id: 1, result: { tools } })
  await responder.listed
  assert.deepEqual(await responder.answer(request(2, 'ping')), { jsonrpc: '2.0', id: 2, result: {} })
})

test('answers overlapping calls in the order in which they end', async () => {
  const gates = { a: Promise.withResolvers<void>(), b: Promise.withResolvers<void>() }
  const responder = serve(async (name, args) => {
    await gates[name as 'a' | 'b'].promise
    return { text: `${name} ${JSON.stringify(args)}`, isError: name === 'b' }
  })
  const first = responder.answer(request(1, 'tools/call', { name: 'a', arguments: { x: 1 } }))
  const second = responder.answer(request('two', 'tools/call', { name: 'b' }))
  assert.equal(responder.pending, 2)
  gates.b.resolve()
  assert.deepEqual(await second, {
    jsonrpc: '2.0',
    id: 'two',
    result: { content: [{ type: 'text', text: 'b undefined' }], isError: true },
  })
  assert.equal(responder.pending, 1)
  gates.a.resolve()
  assert.deepEqual(await first, {
    jsonrpc: '2.0',
    id: 1,
    result: { content: [{ type: 'text', text: 'a {"x":1}' }], isError: false },
  })
  assert.equal(responder.pending, 0)
})

test('aborts the call that a notification names, and all when nobody waits any more', async () => {
  const untilAborted: ToolServer['call'] = (_name, _args, { signal }) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve({ text: 'aborted', isError: true })))
  const responder = serve(untilAborted)
  const calls = [1, 2, 3].map((id) => responder.answer(request(id, 'tools/call', { name: 'send' })))
  const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } }
  assert.deepEqual(await responder.answer(cancelled), { jsonrpc: '2.0', id: 0, result: {} })
  await calls[1]
  assert.equal(responder.pending, 2)
  responder.abortAll()
  await Promise.all(calls)
  assert.equal(responder.pending, 0)
})

test('refuses with the codes of JSON-RPC what it cannot do', async () => {
  const responder = serve(async () => {
    throw new Error('out of cheese')
  })
  const codeOf = async (message: object) =>
    ((await responder.answer(message)) as { error: { code: number } }).error.code
  assert.equal(await codeOf(request(1, 'resources/list')), -32601)
  assert.equal(await codeOf(request(2, 'tools/call', { arguments: {} })), -32602)
  assert.equal(await codeOf(request(3, 'tools/call', { name: 'send' })), -32603)
  await assert.rejects(responder.answer({ id: 4 }))
})
