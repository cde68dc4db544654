import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before, describe, test } from 'node:test'
import type axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { startTestHive, type TestHive } from '../hive.ts'
import { propose } from '../proposals.ts'
import { asking } from './asking.ts'
import { openBrowser, SCREENS, visit } from './browser.ts'

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const THEMES = ['vibec0re', 'dark', 'light']

/** Every page, and what is on it when it can be looked at. */
const ROUTES: readonly (readonly [path: string, ready: (page: Page) => Promise<void>])[] = [
  ['/', (page) => page.getByRole('region', { name: 'Agents' }).getByText('alice').waitFor()],
  ['/approvals/1', (page) => page.getByText('GREETING').waitFor()],
  ['/a/alice', (page) => page.getByText('turn ok').first().waitFor()],
  ['/a/alice?panel=inbox', (page) => page.getByRole('complementary', { name: 'Inbox' }).waitFor()],
  ['/a/alice?panel=journal', (page) => page.getByRole('searchbox', { name: 'Filter the journal' }).waitFor()],
  ['/a/alice?panel=config', (page) => page.getByText('Schedules').waitFor()],
  ['/a/alice?panel=stats', (page) => page.locator('canvas').nth(4).waitFor()],
  ['/a/alice?panel=terminal', (page) => page.locator('.xterm-rows').waitFor()],
  ['/usage', (page) => page.locator('canvas').nth(2).waitFor()],
  ['/messages', (page) => page.getByText('say hello').first().waitFor()],
  ['/deploys', (page) => page.getByRole('region', { name: 'Deploys' }).waitFor()],
  ['/settings', (page) => page.getByText('sandboxes').waitFor()],
  ['/nowhere', (page) => page.getByText('There is no such page').waitFor()],
]

async function violations(page: Page, options: axe.RunOptions = {}): Promise<string[]> {
  const { violations } = await page.evaluate<axe.AxeResults>(`axe.run(${JSON.stringify(options)})`)
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(' | ')}`)
}

/** Waits in the page, which has no `eval` to wait with from here, until a chart has a pixel of a colour (`#rrggbb`). */
const untilDrawnIn = (colour: string) => `new Promise((resolve) => {
  const wanted = ${JSON.stringify([1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)))}
  const isDrawn = (canvas) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true })
    copy.drawImage(canvas, 0, 0)
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height)
    return data.some((_, i) => i % 4 === 0 && wanted.every((value, of) => data[i + of] === value))
  }
  const look = () => ([...document.querySelectorAll('canvas')].some(isDrawn) ? resolve() : requestAnimationFrame(look))
  look()
})`

describe('every page', { timeout: 300_000 }, () => {
  let hive: TestHive
  let browser: Browser
  before(async () => {
    hive = await startTestHive({ terminal: true }, { scenarios: { manager: asking } })
    await (await hive.host()).spawn({ name: 'alice' })
    await hive.tell('alice', 'say hello')
    await hive.tell('alice', 'bash ls /; exit 3')
    await hive.tell('manager', 'choose Where to?')
    await propose(hive, 'alice', { 'agent.json': JSON.stringify({ env: { GREETING: 'hi' } }, null, 2) })
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.close()
    await hive?.[Symbol.asyncDispose]()
  })

  for (const theme of THEMES) {
    for (const [name, screen] of Object.entries(SCREENS)) {
      test(`${theme}, ${name}: nothing that axe objects to, no console message, no request elsewhere, nothing beside the screen`, async () => {
        await using at = await visit(browser, hive, { theme, screen })
        const { page } = at
        await page.addInitScript({ path: AXE })
        const found: Record<string, string[]> = {}
        for (const [path, ready] of ROUTES) {
          await at.go(path)
          await ready(page)
          const all = await violations(page)
          const width = await page.evaluate('document.documentElement.scrollWidth')
          if (Number(width) > screen.width) all.push(`it is ${width} px wide`)
          if (all.length > 0) found[path] = all
        }
        assert.deepEqual(found, {})
        assert.deepEqual(at.faults, [])
      })
    }
  }

  test('a chart says the figures under the cursor, and is drawn anew in another theme', {
    timeout: 60_000,
  }, async () => {
    await using at = await visit(browser, hive)
    const { page } = at
    await at.go('/a/alice?panel=stats')
    const turns = page.getByRole('region', { name: 'Charts by day' }).getByRole('figure').filter({ hasText: 'Turns' })
    await turns.getByText('turns 2').waitFor()
    await turns.locator('.u-over').hover({ position: { x: 5, y: 20 } })
    await turns.getByText('turns 0').waitFor()
    await page.getByRole('heading', { name: 'Stats' }).hover()
    await turns.getByText('turns 2').waitFor()
    await page.evaluate(untilDrawnIn('#4fe3ff'))
    await page.getByRole('combobox', { name: 'Theme' }).selectOption('light')
    await page.evaluate(untilDrawnIn('#0b5c94'))
    assert.deepEqual(at.faults, [])
  })

  test('dialogs, menus and the palette too', async () => {
    await using at = await visit(browser, hive)
    const { page } = at
    await page.addInitScript({ path: AXE })
    await at.go('/')
    const found: string[][] = []
    await page.getByRole('button', { name: 'Request spawn' }).click()
    await page.getByRole('dialog').waitFor()
    found.push(await violations(page))
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Actions for alice' }).click()
    await page.getByRole('menuitem', { name: 'Pause' }).waitFor()
    // A menu stands in no landmark, as the pattern has it; axe knows that of dialogs only.
    found.push(await violations(page, { rules: { region: { enabled: false } } }))
    await page.keyboard.press('Escape')
    await page.getByRole('menu').waitFor({ state: 'detached' })
    await page.keyboard.press('Control+k')
    await page.getByRole('option', { name: 'alice' }).first().waitFor()
    found.push(await violations(page))
    assert.deepEqual(found, [[], [], []])
    assert.deepEqual(at.faults, [])
  })
})
