import type { agentOps } from '../../wire/agent-ops.ts'
import type { Handlers } from '../../wire/op.ts'
import type { Reminders } from '../schedules/reminders.ts'

export interface AgentScheduleDeps {
  readonly reminders: Pick<Reminders, 'remind' | 'list' | 'cancel'>
}

/** What the socket of an agent answers about its reminders. */
export const agentScheduleHandlers = (
  { reminders }: AgentScheduleDeps,
  agent: string,
): Pick<Handlers<typeof agentOps>, 'remind' | 'reminders' | 'cancel_reminder'> => ({
  async remind({ message, in_seconds: inSeconds, at, key }) {
    const { id, dueAt } = await reminders.remind(agent, { message, inSeconds, at, key })
    return { id, at: new Date(dueAt).toISOString() }
  },
  reminders: () => ({ reminders: reminders.list({ agent }).reminders }),
  async cancel_reminder({ id }) {
    await reminders.cancel(id, agent)
    return {}
  },
})
