import type { Cli, GlobalFlags } from './cli.ts'
import { withDaemon } from './daemon-client.ts'
import { isForPeople, say } from './show.ts'

/** Says to people on a terminal that no real model answers; scripts are left alone. */
export async function sayDemo(cli: Cli, flags: GlobalFlags & { quiet?: boolean }): Promise<void> {
  if (!isForPeople(cli, flags)) return
  const { model } = await withDaemon(cli, flags, (call) => call.status({}))
  if (model === 'demo') say(cli, 'hive: DEMO: a scripted model answers')
}
