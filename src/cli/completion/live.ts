import type { Approval } from '../../wire/approvals.ts'
import type { Need } from '../../wire/things.ts'
import { requestText } from '../approval-table.ts'
import type { Cli, GlobalFlags } from '../cli.ts'
import { type HostClient, withDaemon } from '../daemon-client.ts'
import { headline } from '../headline.ts'
import { idOfNeed } from '../need-text.ts'
import { wantedText } from '../permission-text.ts'
import { printableLine } from '../printable.ts'
import type { Candidate } from './candidates.ts'

const TIMEOUT_MS = 500
const MESSAGES = 30
const ABOUT_CELLS = 50

const OPERATOR: Candidate[] = [{ value: 'operator', about: 'you' }]

const COMPANIONS: Candidate[] = [
  { value: 'gateway', about: 'the egress gateway' },
  { value: 'model', about: 'the scripted model of a demo' },
]

type Ask = (call: HostClient, signal: AbortSignal) => Promise<Candidate[]>

/** Where the values come from: by argument, by argument of a command where that says more, or by flag. */
const SOURCES: Readonly<Record<string, Ask>> = {
  agent: askAgents,
  // Without `*`: bash would put it into the line unquoted.
  to: askAgents,
  '--agent': async (call, signal) => [...(await askAgents(call, signal)), ...OPERATOR],
  id: askMessages,
  '--reply-to': askMessages,
  'requeue id': askDeadLetters,
  'drop id': askDeadLetters,
  'cancel-reminder id': askReminders,
  'schedules --agent': askAgents,
  'reminders --agent': askAgents,
  'pending --agent': askAgents,
  'deploys --agent': askAgents,
  'audit --agent': askAgents,
  'usage --agent': askAgents,
  'audit --approval': askApprovals,
  'show id': askApprovals,
  'approve id': askUndecided,
  'deny id': askUndecided,
  'answer id': askQuestions,
  'cancel-question id': askQuestions,
  'questions --agent': askAgents,
  'permit id': askPermissions,
  'refuse id': askPermissions,
  'permissions --agent': askAgents,
  'logs unit': async (call, signal) => [...(await askAgents(call, signal)), ...COMPANIONS],
  'revive name': askTombstones,
  'purge name': askTombstones,
  'set name': askSecrets,
  'remove name': askSecrets,
  root: (call, signal) => askNeeds(call, signal, 'paused_chain'),
}

/** Asks the daemon for what could stand there; it is silent without one, since nobody wants errors while typing. */
export async function findLive(cli: Cli, command: string, what: string, flags: GlobalFlags): Promise<Candidate[]> {
  const name = [`${command} ${what}`, what].find((name) => Object.hasOwn(SOURCES, name))
  const ask = name && SOURCES[name]
  if (!ask) return []
  try {
    return await withDaemon(cli, flags, (call) => ask(call, AbortSignal.timeout(TIMEOUT_MS)))
  } catch {
    return []
  }
}

async function askAgents(call: HostClient, signal: AbortSignal): Promise<Candidate[]> {
  const { agents } = await call.list({}, { signal })
  return agents.map(({ name, state }) => ({ value: name, about: state }))
}

async function askApprovals(call: HostClient, signal: AbortSignal): Promise<Candidate[]> {
  const { approvals } = await call.pending({}, { signal })
  return approvals.map(candidateOf)
}

async function askUndecided(call: HostClient, signal: AbortSignal): Promise<Candidate[]> {
  const { approvals } = await call.pending({}, { signal })
  return approvals.filter(({ state }) => state !== 'approved').map(candidateOf)
}

const candidateOf = (approval: Approval): Candidate => ({ value: String(approval.id), about: requestText(approval) })

async function askQuestions(call: HostClient, signal: AbortSignal): Promise<Candidate[]> {
  const { questions } = await call.questions({}, { signal })
  return questions.map(({ id, asker, question }) => ({
    value: String(id),
    about: `${printableLine(asker)}: ${headline(question, ABOUT_CELLS)}`,
  }))
}

async function askPermissions(call: HostClient, signal: AbortSignal): Promise<Candidate[]> {
  const { permissions } = await call.permissions({}, { signal })
  return permissions.map((permission) => ({
    value: String(permission.id),
    about: `${printableLine(permission.agent)}: ${headline(wantedText(permission), ABOUT_CELLS)}`,
  }))
}

async function askSecrets(call: HostClient, signal: AbortSignal): Promise<Candidate[]> {
  const { secrets } = await call.secrets({}, { signal })
  return secrets.map(({ name }) => ({ value: printableLine(name), about: '' }))
}

async function askReminders(call: HostClient, signal: AbortSignal): Promise<Candidate[]> {
  const { reminders } = await call.reminders({}, { signal })
  return reminders.map(({ id, agent, message }) => ({
    value: String(id),
    about: `${agent}: ${headline(message, ABOUT_CELLS)}`,
  }))
}

async function askTombstones(call: HostClient, signal: AbortSignal): Promise<Candidate[]> {
  const { tombstones } = await call.tombstones({}, { signal })
  return tombstones.map(({ name }) => ({ value: name, about: 'destroyed' }))
}

async function askMessages(call: HostClient, signal: AbortSignal): Promise<Candidate[]> {
  const { messages } = await call.messages({ limit: MESSAGES }, { signal })
  return messages
    .map(({ id, from, to, body }) => ({ value: String(id), about: `${from} → ${to}: ${headline(body, ABOUT_CELLS)}` }))
    .reverse()
}

function askDeadLetters(call: HostClient, signal: AbortSignal): Promise<Candidate[]> {
  return askNeeds(call, signal, 'dead_letter')
}

async function askNeeds(call: HostClient, signal: AbortSignal, kind: Need['kind']): Promise<Candidate[]> {
  const { needs } = await call.needs({}, { signal })
  return needs
    .filter((need) => need.kind === kind)
    .map((need) => ({ value: String(idOfNeed(need)), about: printableLine(need.actions[0] ?? '') }))
}
