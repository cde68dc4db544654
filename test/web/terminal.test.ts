import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { startTestHive, type TestHive } from '../hive.ts'
import { openBrowser, SCREENS, visit } from './browser.ts'

/** Waits until the terminal shows a text. */
const shows = (page: Page, text: string) => page.locator('.xterm-rows').getByText(text).first().waitFor()

describe('the terminal of an agent’s page', { timeout: 120_000 }, () => {
  let hive: TestHive
  let browser: Browser
  before(async () => {
    hive = await startTestHive({ terminal: true })
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.close()
    await hive?.[Symbol.asyncDispose]()
  })

  for (const [name, screen] of Object.entries(SCREENS)) {
    test(`has all keys while it has the focus, and a way out (${name})`, async () => {
      await using tab = await visit(browser, hive, { screen })
      const { page, faults } = tab
      await tab.go('/a/manager')
      await page.getByRole('link', { name: 'Terminal' }).click()
      await shows(page, 'hm1nd:/state#')
      // Letters that would lead elsewhere on the page, and an Escape.
      await page.keyboard.type('gm?')
      await page.keyboard.press('Escape')
      await page.keyboard.press('Control+c')
      // An interrupt throws away what was typed and not yet read.
      await page.locator('.xterm-rows').getByText('hm1nd:/state#').nth(1).waitFor()
      await page.keyboard.type('echo "is he""re"\n')
      await shows(page, 'is here')
      assert.match(page.url(), /\/a\/manager\?panel=terminal$/)

      await page.keyboard.press('F6')
      await page.keyboard.press('Enter')
      await page.getByText('is here').first().waitFor({ state: 'detached' })
      await shows(page, 'hm1nd:/state#')
      await page.keyboard.type('exit\n')
      await page.getByText('Ended: the shell ended').waitFor()

      // It closes with its panel: otherwise there would be one too many soon.
      for (let round = 0; round < 3; round++) {
        await page.getByRole('link', { name: 'Close Terminal' }).click()
        await page.getByRole('link', { name: 'Terminal', exact: true }).click()
        await shows(page, 'hm1nd:/state#')
      }
      assert.deepEqual(faults, [])
    })
  }

  test('draws what an agent writes, which leads nowhere and takes nothing', async () => {
    await using tab = await visit(browser, hive)
    const { page, faults } = tab
    const others: string[] = []
    page.on('dialog', (dialog) => others.push(dialog.message()))
    page.context().on('page', (opened) => others.push(opened.url()))
    await tab.go('/a/manager?panel=terminal')
    await shows(page, 'hm1nd:/state#')
    const title = await page.title()
    await page.keyboard.type(
      String.raw`printf '\e]0;taken\a\e]52;c;dGFrZW4=\a\e]8;;http://192.0.2.1/\aa lin''k\e]8;;\a http://192.0.2.1/ en''d\n'` +
        '\n',
    )
    await shows(page, 'a link http://192.0.2.1/ end')
    const text = page.locator('.xterm-rows').getByText('a link http').first()
    const box = await text.boundingBox()
    assert.ok(box)
    for (const x of [10, 90]) await page.mouse.click(box.x + x, box.y + box.height / 2)
    await page.keyboard.type('echo "still he""re"\n')
    await shows(page, 'still here')
    assert.equal(await page.title(), title)
    assert.deepEqual([others, faults], [[], []])
  })
})
