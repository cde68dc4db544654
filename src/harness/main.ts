import { HiveError } from '../wire/errors.ts'
import { loadConfig } from './config.ts'
import { serveMcp } from './mcp/stdio.ts'
import { serve } from './serve.ts'

const [, , mode = 'serve'] = process.argv

try {
  if (mode === 'serve') await serve(loadConfig(process.env))
  else if (mode === 'mcp') await serveMcp(loadConfig(process.env), process.stdin, process.stdout)
  else {
    process.stderr.write('usage: hive-ag3nt (the manager: hive-m1nd) serve|mcp\n')
    process.exitCode = 2
  }
} catch (error) {
  if (!(error instanceof HiveError)) throw error
  process.stderr.write(`hive-ag3nt: ${error.message}${error.hint ? ` (${error.hint})` : ''}\n`)
  process.exit(1)
}
