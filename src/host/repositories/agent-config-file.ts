import { z } from 'zod'
import { AGENT_CONFIG_FILE, AgentConfig, DEFAULT_AGENT_CONFIG } from '../../wire/agent-config.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import { hostTimeZone, nextDue } from '../schedules/cron.ts'

const MAX_ISSUES = 5

/**
 * The configuration that the text of `agent.json` means; without the file, that of an agent that says nothing. Throws
 * `bad_input` that says which field is wrong, and how.
 */
export function parseAgentConfig(text: string | undefined): AgentConfig {
  if (text === undefined) return DEFAULT_AGENT_CONFIG
  const value = parseJson(text)
  const { success, data, error } = AgentConfig.safeParse(value)
  if (!success) throw refusal(describeIssues(error))
  // Who reads it may see the first of two, and what takes effect is the last.
  if (countColons(text) !== countMembers(value)) throw refusal('a key stands in it twice')
  for (const [index, { cron }] of data.schedules.entries()) assertCron(index, cron)
  return data
}

function assertCron(index: number, cron: string): void {
  try {
    nextDue(cron, Date.now(), hostTimeZone())
  } catch (error) {
    throw refusal(`schedules[${index}].cron: ${errorText(error)}`)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw refusal((error as SyntaxError).message)
  }
}

function describeIssues({ issues }: z.ZodError): string {
  const described = issues
    .slice(0, MAX_ISSUES)
    .map(({ path, message }) => (path.length > 0 ? `${z.core.toDotPath(path)}: ${message}` : message))
  return [...described, ...(issues.length > MAX_ISSUES ? ['and more'] : [])].join('; ')
}

const refusal = (why: string): HiveError =>
  new HiveError('bad_input', `${AGENT_CONFIG_FILE} is wrong: ${why.replaceAll(/\s*\n\s*/g, ' ')}`, {
    hint: 'its schema is /meta/agent.schema.json',
  })

/** Outside of strings, a colon in JSON belongs to a key. */
const countColons = (json: string): number => json.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').split(':').length - 1

/** Of a value that has been checked: it is not deep. */
function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const own = Array.isArray(value) ? 0 : Object.keys(value).length
  return Object.values(value).reduce((sum: number, member) => sum + countMembers(member), own)
}
