import type { Command } from 'commander'
import { hivePaths } from '../../kit/settings.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { hasScreen, openBrowser } from '../open-browser.ts'
import { say, show } from '../show.ts'

export const addOpen = (program: Command, cli: Cli): Command =>
  program
    .command('open')
    .description('Print the link to the dashboard, and open it where there is a desktop.')
    .argument('[agent]', 'the page of this agent')
    .option('--print', 'only print it')
    .option('--new-token', 'make a new link; those before open nothing from now on')
    .action(async (agent: string | undefined, _, command: Command) => {
      const flags = flagsOf<{ print?: boolean; newToken?: boolean }>(command)
      const { url } = await withDaemon(cli, flags, (call) => call.web_link({ agent, new_token: flags.newToken }))
      show(cli, flags, { data: { url }, text: () => `${url}\n` })
      if (flags.print || flags.json || !hasScreen(cli)) return
      const isOpen = await openBrowser(cli, url, hivePaths(flags, cli.env, cli.uid).runDir)
      if (!isOpen) say(cli, 'hive: there is no xdg-open here: open the link yourself')
    })
