import type { UsageRow } from '../../wire/money.ts'
import { type Agent, AgentState, type MessageState } from '../../wire/things.ts'

/** What the metrics tell of. */
export interface Measured {
  readonly agents: readonly Agent[]
  readonly messages: Readonly<Record<MessageState, number>>
  readonly needs: number
  readonly pendingApprovals: number
  readonly slots: { readonly used: number; readonly total: number }
  /** Of all days. */
  readonly totals: {
    readonly turns: readonly { readonly agent: string; readonly reason: string; readonly n: number }[]
    readonly usage: readonly UsageRow[]
  }
  /** Of the daemon. */
  readonly memoryBytes: number
  readonly cpuSeconds: number
  /** Unix seconds. */
  readonly startedAt: number
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number]

/** The state of a hive as Prometheus text, format 0.0.4. */
export function metricsOf(measured: Measured): string {
  const { agents, messages, totals, slots } = measured
  const states = Map.groupBy(agents, ({ state }) => state)
  const perAgent = (of: (agent: Agent) => number): Sample[] => agents.map((agent) => [{ agent: agent.name }, of(agent)])
  return [
    family(
      'hive_agents',
      'gauge',
      'Agents by state.',
      AgentState.options.map((state): Sample => [{ state }, states.get(state)?.length ?? 0]),
    ),
    family(
      'hive_messages',
      'gauge',
      'Messages by state; those done long ago are deleted.',
      Object.entries(messages).map(([state, n]): Sample => [{ state }, n]),
    ),
    family(
      'hive_unread_messages',
      'gauge',
      'Messages in an inbox that are not done.',
      perAgent(({ unread }) => unread),
    ),
    family('hive_needs', 'gauge', 'Things that wait for the operator.', [[{}, measured.needs]]),
    family('hive_pending_approvals', 'gauge', 'Approvals that wait for a decision.', [[{}, measured.pendingApprovals]]),
    family('hive_slots', 'gauge', 'Turns that may be in progress at once, and are.', [
      [{ kind: 'total' }, slots.total],
      [{ kind: 'used' }, slots.used],
    ]),
    family(
      'hive_turns_total',
      'counter',
      'Turns that ended, by reason.',
      totals.turns.map(({ agent, reason, n }): Sample => [{ agent, reason }, n]),
    ),
    family(
      'hive_tokens_total',
      'counter',
      'Tokens that the engines of agents say they used.',
      totals.usage.flatMap(tokenSamples),
    ),
    family(
      'hive_dollars_total',
      'counter',
      'US dollars that the engines of agents say they cost.',
      totals.usage.map(({ agent, model, dollars }): Sample => [{ agent, model }, dollars]),
    ),
    family(
      'hive_budget_used_ratio',
      'gauge',
      'Share of the closest limit of today that is used.',
      agents.flatMap(({ name, account: { used } }): Sample[] => (used === null ? [] : [[{ agent: name }, used]])),
    ),
    family(
      'hive_model_requests_today',
      'gauge',
      'Requests to the model that the gateway saw today; a tunnel counts once.',
      perAgent(({ account }) => account.requests),
    ),
    family('process_resident_memory_bytes', 'gauge', 'Resident memory of the daemon.', [[{}, measured.memoryBytes]]),
    family('process_cpu_seconds_total', 'counter', 'Processor time of the daemon.', [[{}, measured.cpuSeconds]]),
    family('process_start_time_seconds', 'gauge', 'When the daemon was started, unix time.', [
      [{}, measured.startedAt],
    ]),
  ].join('')
}

const tokenSamples = ({ agent, model, ...row }: UsageRow): Sample[] => [
  [{ agent, model, kind: 'input' }, row.inputTokens],
  [{ agent, model, kind: 'output' }, row.outputTokens],
  [{ agent, model, kind: 'cache_read' }, row.cacheReadTokens],
  [{ agent, model, kind: 'cache_write' }, row.cacheWriteTokens],
]

/** One metric: what it is, and its samples; one without samples is left out. */
function family(name: string, type: 'gauge' | 'counter', help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return ''
  const lines = samples.map(([labels, value]) => `${name}${labelText(labels)} ${value}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escaped = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
