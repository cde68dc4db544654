import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { startTestHive, type TestHive } from '../hive.ts'
import { propose } from '../proposals.ts'
import { openBrowser, visit } from './browser.ts'

const KB = 1_024

/** What a browser takes over the wire for each page, compressed as the hive sends it. */
describe('the size', { timeout: 120_000 }, () => {
  let hive: TestHive
  let browser: Browser
  let approval: number
  before(async () => {
    hive = await startTestHive()
    await (await hive.host()).spawn({ name: 'alice' })
    approval = (await propose(hive, 'alice', { 'agent.json': JSON.stringify({ env: { GREETING: 'hi' } }) })).id
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.close()
    await hive?.[Symbol.asyncDispose]()
  })

  /** Of files of the app that a page needs beyond the dashboard, until this text is there. */
  async function loadedFor(path: string | undefined, text: string): Promise<number> {
    await using at = await visit(browser, hive)
    // A page leads to others, and fetches none of them before somebody goes there.
    const first = await filesOf(at.page)
    if (path === undefined) return sum(first)
    await at.go(path)
    await at.page.getByText(text).first().waitFor()
    const all = await filesOf(at.page)
    return sum(new Map([...all].filter(([name]) => !first.has(name))))
  }

  test('of the dashboard is 160 KB at most', async () => {
    const size = await loadedFor(undefined, '')
    assert.ok(size <= 160 * KB, `${(size / KB).toFixed(1)} KB`)
  })

  test('of an agent’s page is 45 KB more', async () => {
    const size = await loadedFor('/a/alice', 'It has done nothing yet')
    assert.ok(size <= 45 * KB, `${(size / KB).toFixed(1)} KB`)
  })

  test('of an approval with its diff is 210 KB more', async () => {
    const size = await loadedFor(`/approvals/${approval}`, 'GREETING')
    assert.ok(size <= 210 * KB, `${(size / KB).toFixed(1)} KB`)
  })
})

/** Files under /assets/, with the bytes of their bodies on the wire. */
async function filesOf(page: Awaited<ReturnType<typeof visit>>['page']): Promise<Map<string, number>> {
  const entries = await page.evaluate<[string, number][]>(
    `performance.getEntriesByType('resource').filter(({ name }) => name.includes('/assets/')).map((entry) => [entry.name, entry.encodedBodySize])`,
  )
  return new Map(entries)
}

const sum = (files: ReadonlyMap<string, number>): number => [...files.values()].reduce((total, size) => total + size, 0)
