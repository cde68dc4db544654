import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDemoHive } from '../test/demo-hive.ts'
import { openBrowser, SCREENS, visit } from '../test/web/browser.ts'

// Takes the pictures of the README, of a demo hive in a temporary directory whose operator has come as far as the first diff.
const pictures = join(import.meta.dirname, '../docs/pictures')
mkdirSync(pictures, { recursive: true })

await using hive = await openDemoHive()
await hive.start()
await hive.seeded()
const pendingId = async (kind: string): Promise<number> => {
  for (;;) {
    const { approvals } = await hive.host().pending({})
    const found = approvals.find((approval) => approval.kind === kind)
    if (found) return found.id
    await sleep(100)
  }
}
const first = (await hive.host().show({ id: await pendingId('init_config') })).approval
await hive.host().approve({ id: first.id, base: first.base, sha: first.sha })
const change = await pendingId('apply_commit')

const browser = await openBrowser()
try {
  const take = async (name: string, path: string, text: string, screen = SCREENS.desk) => {
    await using at = await visit(browser, { host: async () => hive.host() }, { screen })
    await at.go(path)
    await at.page.getByText(text).first().waitFor()
    // Fonts, colours of the diff, charts: what comes after the words.
    await sleep(1_000)
    await at.page.screenshot({ path: join(pictures, `${name}.png`), animations: 'disabled' })
    process.stdout.write(`docs/pictures/${name}.png\n`)
  }
  await take('dashboard', '/', 'a change of the configuration')
  await take('agent', '/a/alice', 'turn ok')
  await take('approval', `/approvals/${change}`, 'GREETING')
  await take('phone', '/', 'a change of the configuration', SCREENS.phone)
} finally {
  await browser.close()
}
