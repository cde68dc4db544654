import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import type { Scenario } from '../../src/demo/scenario.ts'
import { obey } from '../../src/demo/scenarios/obey.ts'
import { startTestHive, type TestHive } from '../hive.ts'
import { openBrowser, visit } from './browser.ts'

const asking: Scenario = {
  ...obey,
  rules: [
    { body: '^choose (.+)$', do: [{ call: 'mcp__hyperhive__ask_operator', with: { question: '{1}' } }, { say: 'ok' }] },
    ...obey.rules,
  ],
}

/**
 * A browser without a screen has neither a place for notifications nor a focus that moves: the page gets both from here, and
 * asks for them as it would elsewhere.
 */
const DESKTOP = `{
  let isFocused = true
  window.notices = []
  window.look = (is) => { isFocused = is; window.dispatchEvent(new Event(is ? 'focus' : 'blur')) }
  document.hasFocus = () => isFocused
  window.Notification = class {
    static get permission() { return localStorage.getItem('permission') ?? 'default' }
    static async requestPermission() { localStorage.setItem('permission', 'granted'); return 'granted' }
    constructor(title, { tag, body }) { Object.assign(this, { title, tag, body, isOpen: true }); window.notices.push(this) }
    close() { this.isOpen = false }
  }
}`

/** Bodies of the notices that a page made, or has open. */
const bodies = (page: Page, which: 'all' | 'open' = 'all') =>
  page.evaluate<string[]>(`notices.filter(({ isOpen }) => isOpen || ${which === 'all'}).map(({ body }) => body)`)

/** Waits for an expression to hold in a page; Playwright's own way is `eval`, which the page forbids. */
async function until(page: Page, expression: string): Promise<void> {
  while (!(await page.evaluate(expression))) await sleep(20)
}

describe('the browser tells what needs the operator', { timeout: 240_000 }, () => {
  let hive: TestHive
  let browser: Browser
  before(async () => {
    hive = await startTestHive({}, { scenarios: { manager: asking } })
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.close()
    await hive?.[Symbol.asyncDispose]()
  })
  const ask = async (question: string) => {
    await hive.tell('manager', `choose ${question}`)
    const { questions } = await (await hive.host()).questions({})
    return questions.find((one) => one.question === question)?.id as number
  }
  const title = (page: Page, wanted: string) => until(page, `document.title === ${JSON.stringify(wanted)}`)

  test('only once it was allowed, not while one looks at any tab, not when muted, and until it is dealt with', async () => {
    const first = await ask('there already')
    await using at = await visit(browser, hive)
    const { page } = at
    await page.context().addInitScript(DESKTOP)
    await at.go('/settings')
    await title(page, '(1) Settings – hyperhive')
    await page.getByRole('button', { name: 'Allow notifications' }).click()
    await page.getByRole('button', { name: 'Try it' }).waitFor()
    assert.deepEqual(await bodies(page), ['This is how you hear of what needs you.'])

    await ask('while this tab has the focus')
    await title(page, '(2) Settings – hyperhive')
    const other = await page.context().newPage()
    await other.goto(`${at.base}/`)
    await title(other, '(2) hyperhive')
    await page.evaluate('look(false)')
    await ask('while another has it')
    await title(page, '(3) Settings – hyperhive')
    await other.evaluate('look(false)')
    const fourth = await ask('while nobody looks')
    for (const tab of [page, other]) {
      await until(tab, `notices.at(-1)?.body === 'while nobody looks'`)
    }
    assert.deepEqual((await bodies(page)).slice(1), ['while nobody looks'])
    assert.deepEqual(await bodies(other), ['while nobody looks'])
    const tags = await Promise.all([page, other].map((tab) => tab.evaluate('notices.at(-1).tag')))
    assert.equal(tags[0], tags[1])

    await page.evaluate('notices.at(-1).onclick()')
    await page.waitForURL(`${at.base}/a/manager`)
    await (await hive.host()).answer({ id: fourth, answer: 'yes' })
    await title(page, '(3) manager – hyperhive')
    await until(other, 'notices.every(({ isOpen }) => !isOpen)')

    await other.goto(`${at.base}/settings`)
    await other.evaluate('look(false)')
    await other.getByRole('checkbox', { name: 'mute this browser' }).check()
    await ask('while it is muted')
    for (const tab of [page, other]) await until(tab, `document.title.startsWith('(4)')`)
    await other.getByRole('checkbox', { name: 'mute this browser' }).uncheck()
    await ask('when it may speak again')
    for (const tab of [page, other]) await until(tab, `notices.at(-1)?.body === 'when it may speak again'`)
    assert.deepEqual(await bodies(page, 'open'), ['This is how you hear of what needs you.', 'when it may speak again'])
    assert.deepEqual(await bodies(other), ['when it may speak again'])
    await (await hive.host()).answer({ id: first, answer: 'yes' })
    await title(other, '(4) Settings – hyperhive')
    assert.deepEqual(at.faults, [])
  })

  test('a browser that refuses is told of what works instead', async () => {
    await using at = await visit(browser, hive)
    await at.page.addInitScript(`${DESKTOP}; localStorage.setItem('permission', 'denied')`)
    await at.go('/settings')
    await at.page.getByText(/refuse notifications of this page.*ntfy or a webhook/).waitFor()
    assert.equal(await at.page.getByRole('button', { name: 'Allow notifications' }).count(), 0)
  })
})
