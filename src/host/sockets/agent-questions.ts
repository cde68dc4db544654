import type { agentOps } from '../../wire/agent-ops.ts'
import type { Handlers } from '../../wire/op.ts'
import type { Questions } from '../questions/questions.ts'

export interface AgentQuestionDeps {
  readonly questions: Pick<Questions, 'ask' | 'takeBack'>
}

/** What the socket of an agent answers about what it asks the operator. */
export const agentQuestionHandlers = (
  { questions }: AgentQuestionDeps,
  agent: string,
): Pick<Handlers<typeof agentOps>, 'ask_operator' | 'cancel_question'> => ({
  async ask_operator({ question, options = [], multi = false, ttl_seconds: ttlSeconds, key }) {
    return { id: await questions.ask(agent, { question, options, multi, ttlSeconds, key }) }
  },
  async cancel_question({ id }) {
    await questions.takeBack(agent, id)
    return {}
  },
})
