import { loadConfig } from './config.ts'
import { serveMcp } from './mcp/stdio.ts'
import { serve } from './serve.ts'

const [, , mode = 'serve'] = process.argv
const config = loadConfig(process.env)

if (mode === 'serve') await serve(config)
else if (mode === 'mcp') await serveMcp(config, process.stdin, process.stdout)
else {
  process.stderr.write(`usage: ${config.role === 'manager' ? 'hive-m1nd' : 'hive-ag3nt'} serve|mcp\n`)
  process.exitCode = 2
}
