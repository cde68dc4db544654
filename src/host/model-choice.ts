import type { Settings } from '../kit/settings.ts'
import type { Database } from '../kit/sqlite.ts'
import { recall, remember } from './remembered.ts'

/** Variables of an agent's environment that lead claude to a model without a login of its own. */
const WAYS_TO_A_MODEL = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'ANTHROPIC_BASE_URL',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'CLAUDE_CODE_USE_ANTHROPIC_AWS',
  'CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD',
  'CLAUDE_CODE_USE_BEDROCK',
  'CLAUDE_CODE_USE_FOUNDRY',
  'CLAUDE_CODE_USE_GATEWAY',
  'CLAUDE_CODE_USE_MANTLE',
  'CLAUDE_CODE_USE_VERTEX',
]

/**
 * Whether the scripted model answers. It is chosen only when asked for, or on a hive that never chose and for which nothing
 * was configured; the choice is remembered, and credentials or `--no-demo` end it.
 */
export async function chooseModel(db: Database, settings: Settings): Promise<'demo' | 'real'> {
  const choice = decideModel(settings, recall(db, 'model'))
  await remember(db, 'model', choice)
  return choice
}

export function decideModel(
  { demo, agentEnv, hasConfigFile }: Pick<Settings, 'demo' | 'agentEnv' | 'hasConfigFile'>,
  remembered: string | undefined,
): 'demo' | 'real' {
  if (demo !== undefined) return demo ? 'demo' : 'real'
  if (WAYS_TO_A_MODEL.some((name) => agentEnv[name] !== undefined)) return 'real'
  if (remembered !== undefined) return remembered === 'demo' ? 'demo' : 'real'
  return hasConfigFile || Object.keys(agentEnv).length > 0 ? 'real' : 'demo'
}

/** The environment of an agent of a demo: nothing in it leads to another model. */
export const demoEnv = (agentEnv: Settings['agentEnv'], url: string, agent: string): Record<string, string> => ({
  ...Object.fromEntries(Object.entries(agentEnv).filter(([name]) => !WAYS_TO_A_MODEL.includes(name))),
  ANTHROPIC_BASE_URL: url,
  ANTHROPIC_API_KEY: `sk-ant-demo-${agent}`,
})
