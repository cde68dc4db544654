import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AgentConfig } from '../../wire/agent-config.ts'
import { agentOps, managerOps } from '../../wire/agent-ops.ts'
import { HelperEvent } from '../../wire/events.ts'
import type { Ops } from '../../wire/op.ts'
import { agentQuestionOps } from '../../wire/questions.ts'
import { agentPrompt } from './agent.ts'
import { managerPrompt } from './manager.ts'

const toolsOf = (ops: Ops): string[] => Object.keys(ops).filter((name) => ops[name]?.tool)
const unsaid = (prompt: string, names: readonly string[]): string[] =>
  names.filter((name) => !new RegExp(`(\\b|__)${name}\\b`).test(prompt))

test('the manager is told of all its tools, of every event and of every field of a configuration', () => {
  const events = HelperEvent.options.map(({ shape }) => shape.event.value)
  const fields = Object.keys(AgentConfig.shape).filter((name) => name !== '$schema')
  assert.deepEqual(unsaid(managerPrompt(), [...toolsOf(managerOps), ...events, ...fields]), [])
})

test('an agent is told of its tools and of its configuration, and not of what only the manager has', () => {
  const prompt = agentPrompt('alice', { mayAsk: false })
  const asking = toolsOf(agentQuestionOps)
  assert.deepEqual(unsaid(prompt, toolsOf(agentOps)), asking)
  assert.deepEqual(unsaid(agentPrompt('alice', { mayAsk: true }), [...asking, 'operator_answered']), [])
  assert.match(prompt, /^You are `alice`/)
  assert.match(prompt, /host\.\n- Your configuration is at `\/config`/)
  const others = toolsOf(managerOps).filter((name) => !toolsOf(agentOps).includes(name) && name.includes('_'))
  assert.deepEqual(unsaid(prompt, others), others)
})
