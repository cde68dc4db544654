import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { startTestHive, type TestHive } from '../hive.ts'
import { propose } from '../proposals.ts'
import { openBrowser, visit } from './browser.ts'
import { playAgent, turnEvents } from './played-agent.ts'

describe('a page whose hive', { timeout: 180_000 }, () => {
  let hive: TestHive
  let browser: Browser
  before(async () => {
    hive = await startTestHive()
    for (const name of ['alice', 'bob']) await (await hive.host()).spawn({ name })
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.close()
    await hive?.[Symbol.asyncDispose]()
  })

  test('is killed says so and lets nothing be done; when it is back, nothing is lost or doubled, and what was typed is there', async () => {
    await using at = await visit(browser, hive)
    const { page } = at
    await (await hive.host()).kill({ agent: 'bob', now: true })
    {
      await using bob = await playAgent(hive, 'bob')
      await bob.tell([1, 2, 3].flatMap(turnEvents))
    }
    await at.go('/a/bob')
    await page.getByText('task 3', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Actions for bob' }).waitFor()
    await at.go('/a/alice')
    const composer = page.getByRole('textbox', { name: 'Message to alice' })
    await composer.fill('half a thought')
    await hive.kill()
    await page.getByText('Disconnected from the hive').waitFor()
    assert.ok(await page.getByRole('button', { name: 'Send' }).isDisabled())
    assert.equal(await composer.inputValue(), 'half a thought')

    await hive.start()
    await using bob = await playAgent(hive, 'bob')
    await bob.tell([4, 5].flatMap(turnEvents))
    await page.getByText('Disconnected from the hive').waitFor({ state: 'detached' })
    assert.equal(await composer.inputValue(), 'half a thought')
    await page.keyboard.press('Escape')
    // The same page, never loaded anew: what came while it was away, and what comes now.
    await page.evaluate("history.pushState(null, '', '/a/bob')")
    await bob.tell(turnEvents(6))
    await page.getByText('task 6', { exact: true }).waitFor()
    const tasks = await page.getByText(/^task \d+$/).allTextContents()
    assert.deepEqual(
      tasks.slice(-4),
      [3, 4, 5, 6].map((number) => `task ${number}`),
    )
  })

  test('is killed while its transcript is open shows each event once when it is back', async () => {
    await using at = await visit(browser, hive)
    await at.go('/a/bob')
    await at.page.getByText('task 6', { exact: true }).waitFor()
    await hive.kill()
    await at.page.getByText('Disconnected from the hive').waitFor()
    await hive.start()
    await using bob = await playAgent(hive, 'bob')
    await bob.tell([7, 8, 9].flatMap(turnEvents))
    await at.page.getByText('task 9', { exact: true }).waitFor()
    await bob.tell(turnEvents(10))
    await at.page.getByText('task 10', { exact: true }).waitFor()
    const tasks = await at.page.getByText(/^task \d+$/).allTextContents()
    assert.deepEqual(
      tasks.slice(-5),
      [6, 7, 8, 9, 10].map((number) => `task ${number}`),
    )
  })

  test('stands still says so within half a minute, and goes on when that does', async () => {
    await using at = await visit(browser, hive)
    const pid = hive.daemonPid()
    process.kill(pid, 'SIGSTOP')
    try {
      // What it asks for by itself is not answered either: only the silence tells.
      await at.page.getByText('Disconnected from the hive').waitFor({ timeout: 60_000 })
      assert.ok(await at.page.getByRole('button', { name: 'Actions for alice' }).isVisible())
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await at.page.getByText('Disconnected from the hive').waitFor({ state: 'detached' })
    await at.page.getByText('live').waitFor()
  })

  test('is looked at in 8 tabs answers each of them: one stream for all', async () => {
    await using at = await visit(browser, hive)
    const { id } = await propose(hive, 'alice', { 'agent.json': JSON.stringify({ env: { GREETING: 'eight' } }) })
    const tabs = [at.page]
    while (tabs.length < 8) tabs.push(await at.page.context().newPage())
    for (const [index, tab] of tabs.entries()) {
      await tab.goto(`${at.base}${index % 2 === 0 ? '/a/alice' : '/'}`)
      await tab.getByText('live').waitFor()
    }
    const last = tabs.at(-1) ?? at.page
    await last.goto(`${at.base}/approvals/${id}`)
    await last.getByText('eight').waitFor()
    await last.getByRole('button', { name: /^Approve & deploy/ }).click()
    await last.getByText('deployed', { exact: true }).waitFor()
    assert.equal((await hive.decided(id)).state, 'deployed')
    // And all of them hear of it.
    await hive.tell('alice', 'say to all of them')
    for (const tab of tabs.filter((one) => one.url().endsWith('/a/alice'))) {
      await tab.getByText('to all of them').last().waitFor()
    }
    assert.deepEqual(at.faults, [])
  })

  test('has another token asks for its link, and goes on with that', async () => {
    await using at = await visit(browser, hive)
    const { url } = await (await hive.host()).web_link({ new_token: true })
    await at.page.getByRole('textbox').waitFor()
    await at.page.getByRole('textbox').fill(url)
    await at.page.keyboard.press('Enter')
    await at.page.getByRole('region', { name: 'Needs you' }).waitFor()
  })
})
