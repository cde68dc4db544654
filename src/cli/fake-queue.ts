import type { Permission } from '../wire/permissions.ts'
import type { Question } from '../wire/questions.ts'
import { SENT_AT } from './fake-hive.ts'

const AN_HOUR = 3_600_000

/** For tests: a question that waits for the operator. */
export const questionOf = (id: number, more: Partial<Question> = {}): Question => ({
  id,
  asker: 'manager',
  question: `question ${id}`,
  options: [],
  multi: false,
  state: 'open',
  askedAt: SENT_AT,
  deadlineAt: null,
  answer: null,
  answeredAt: null,
  ...more,
})

/** For tests: a permission that an agent asks for. */
export const permissionOf = (id: number, more: Partial<Permission> = {}): Permission => ({
  id,
  agent: 'alice',
  tool: 'Bash',
  input: JSON.stringify({ command: 'npm test --x' }),
  description: null,
  pattern: 'npm test *',
  state: 'pending',
  askedAt: SENT_AT,
  deadlineAt: SENT_AT + AN_HOUR,
  decidedAt: null,
  message: null,
  ...more,
})
