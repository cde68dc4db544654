import type { Settings } from '../kit/settings.ts'
import type { Database } from '../kit/sqlite.ts'

/** Environment variables that make claude work without a login of its own. */
const CREDENTIALS = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN', 'ANTHROPIC_BASE_URL']

/**
 * Whether the scripted model answers. It is chosen only when asked for, or on a new hive for which nothing was configured;
 * the choice is remembered, and credentials or `--no-demo` end it.
 */
export async function chooseModel(db: Database, settings: Settings, isNew: boolean): Promise<'demo' | 'real'> {
  const remembered = db.get(`SELECT value FROM settings WHERE name = 'model'`)?.value
  const hasCredentials = CREDENTIALS.some((name) => settings.agentEnv[name] !== undefined)
  const choice = decide(settings.demo, hasCredentials, remembered, isNew)
  await db.write(() =>
    db.run(`INSERT INTO settings VALUES ('model', ?) ON CONFLICT DO UPDATE SET value = excluded.value`, choice),
  )
  return choice
}

function decide(
  asked: boolean | undefined,
  hasCredentials: boolean,
  remembered: unknown,
  isNew: boolean,
): 'demo' | 'real' {
  if (asked !== undefined) return asked ? 'demo' : 'real'
  if (hasCredentials) return 'real'
  return remembered === 'demo' || (remembered === undefined && isNew) ? 'demo' : 'real'
}
