import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { agentConfigSchema } from '../src/wire/agent-config.ts'

/** Writes the JSON Schema of `agent.json`, as it is published. */
const file = join(import.meta.dirname, '../docs/agent.schema.json')
writeFileSync(file, `${JSON.stringify(agentConfigSchema(), null, 2)}\n`)
