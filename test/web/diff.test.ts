import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { startTestHive, type TestHive } from '../hive.ts'
import { approve, propose } from '../proposals.ts'
import { openBrowser, SCREENS, visit } from './browser.ts'

const lines = (word: string) =>
  Array.from({ length: 3_000 }, (_, line) => `line ${line} says ${line % 3 === 0 ? word : 'the same'}`).join('\n')

describe('a diff of 3,000 lines, of which 1,000 changed', { timeout: 120_000 }, () => {
  let hive: TestHive
  let browser: Browser
  let id: number
  before(async () => {
    hive = await startTestHive()
    await (await hive.host()).spawn({ name: 'alice' })
    const first = await propose(hive, 'alice', { 'prompt.md': lines('one thing') })
    await approve(hive, first.id)
    assert.equal((await hive.decided(first.id)).state, 'deployed')
    id = (await propose(hive, 'alice', { 'prompt.md': lines('another thing') })).id
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.close()
    await hive?.[Symbol.asyncDispose]()
  })

  for (const [name, screen] of Object.entries(SCREENS)) {
    test(`has elements for what is in sight only, and its last line is reached: ${name}`, async () => {
      await using at = await visit(browser, hive, { screen })
      await at.go(`/approvals/${id}`)
      await at.page.getByText('another thing').first().waitFor()
      // Open shadow roots count too: the viewer draws into them.
      const count = await at.page.evaluate<number>(`(() => {
        const all = (root) => [...root.querySelectorAll('*')].reduce((sum, one) => sum + 1 + (one.shadowRoot ? all(one.shadowRoot) : 0), 0)
        return all(document)
      })()`)
      assert.ok(count < 20_000, `${count} elements`)
      const last = at.page.getByText('line 2997')
      while ((await last.count()) === 0) {
        await at.page.mouse.move(screen.width / 2, screen.height / 2)
        await at.page.mouse.wheel(0, 20_000)
        await at.page.evaluate('new Promise(requestAnimationFrame)')
      }
      assert.deepEqual(at.faults, [])
    })
  }
})
