import type { hostOps } from '../../wire/host-ops.ts'
import type { Handlers } from '../../wire/op.ts'
import type { Questions } from '../questions/questions.ts'

export interface HostQuestionDeps {
  readonly questions: Pick<Questions, 'list' | 'answer' | 'cancel'>
}

/** What the operator's socket answers about questions of agents. */
export const hostQuestionHandlers = ({
  questions,
}: HostQuestionDeps): Pick<Handlers<typeof hostOps>, 'questions' | 'answer' | 'cancel_question'> => ({
  questions: (filter) => questions.list(filter),
  async answer({ id, answer }) {
    return { question: await questions.answer(id, answer) }
  },
  async cancel_question({ id }) {
    return { question: await questions.cancel(id) }
  },
})
