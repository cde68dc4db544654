import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createControl } from './control.ts'

const open = () => {
  const sent: { request_id?: string; request?: { subtype: string } }[] = []
  return { sent, control: createControl((message) => sent.push(message)) }
}
const response = (request_id: string | undefined, more: object) => ({
  type: 'control_response',
  response: { request_id, ...more },
})

test('gives each request its own answer, in any order', async () => {
  const { sent, control } = open()
  const first = control.request({ subtype: 'initialize' }, 60_000)
  const second = control.request({ subtype: 'set_model', model: 'opus' }, 60_000)
  control.settle(response(sent[1]?.request_id, { subtype: 'success' }))
  control.settle(response(sent[0]?.request_id, { subtype: 'success', response: { pid: 7 } }))
  assert.deepEqual(await first, { pid: 7 })
  assert.equal(await second, undefined)
})

test('throws what the engine refuses, leaves open too long, or takes with it', async () => {
  const { sent, control } = open()
  const refused = control.request({ subtype: 'set_model' }, 60_000)
  control.settle(response(sent[0]?.request_id, { subtype: 'error', error: 'no such model' }))
  await assert.rejects(refused, { code: 'unavailable', message: /no such model/ })
  await assert.rejects(control.request({ subtype: 'interrupt' }, 1), { code: 'timeout', message: /interrupt/ })
  const lost = control.request({ subtype: 'initialize' }, 60_000)
  control.failAll('it has ended')
  await assert.rejects(lost, { code: 'unavailable', message: 'it has ended' })
  await assert.rejects(control.request({ subtype: 'interrupt' }, 60_000), { message: 'it has ended' })
})

test('passes over an answer that nobody awaits, and throws one that is none', () => {
  const { control } = open()
  control.settle(response('stranger', { subtype: 'success' }))
  assert.throws(() => control.settle({ type: 'control_response' }))
})
