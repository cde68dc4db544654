import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { startTestHive, type TestHive } from '../hive.ts'
import { propose } from '../proposals.ts'
import { asking } from './asking.ts'
import { openBrowser, type Visit, visit } from './browser.ts'

/** The five most frequent jobs of an operator, with a pointer and with the keyboard alone, on a real hive. */
describe('the jobs of an operator', { timeout: 240_000 }, () => {
  let hive: TestHive
  let browser: Browser
  let at: Visit
  before(async () => {
    hive = await startTestHive({}, { scenarios: { manager: asking } })
    await (await hive.host()).spawn({ name: 'alice' })
    await hive.agent('alice', ({ state }) => state === 'idle')
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.close()
    await hive?.[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    at = await visit(browser, hive)
  })
  afterEach(async () => {
    assert.deepEqual(at.faults, [])
    await at[Symbol.asyncDispose]()
  })

  /** Agents on the page of the hive, by the keyboard: the palette. */
  const openByKeys = async (text: string) => {
    await at.page.keyboard.press('Control+k')
    await at.page.getByRole('combobox', { name: /Search for a page/ }).waitFor()
    await at.page.keyboard.type(text)
    await at.page.getByRole('option', { name: text }).first().waitFor()
    await at.page.keyboard.press('Enter')
  }
  const proposed = (greeting: string) =>
    propose(hive, 'alice', { 'agent.json': JSON.stringify({ env: { GREETING: greeting } }) })
  const asked = async (question: string) => {
    assert.equal((await hive.tell('manager', `choose ${question}`)).state, 'done')
    const { questions } = await (await hive.host()).questions({})
    return questions.find((one) => one.question === question)?.id as number
  }
  const answerTo = async (id: number) => {
    const { questions } = await (await hive.host()).questions({ all: true })
    return questions.find((one) => one.id === id)?.answer
  }

  test('approve a change: two clicks, then the page follows the deploy to its end', async () => {
    const { id, sha } = await proposed('by pointer')
    await at.page.getByRole('link', { name: 'Review' }).click()
    await at.page.getByText('by pointer').waitFor()
    await at.page.getByRole('button', { name: /^Approve & deploy/ }).click()
    await at.page.getByText('deployed', { exact: true }).waitFor()
    const { state } = await hive.decided(id)
    assert.deepEqual([state, (await hive.agent('alice', () => true)).sha], ['deployed', sha])
  })

  test('approve a change by keys: g a, read, Shift A', async () => {
    const { id, sha } = await proposed('by keys')
    await at.page.getByRole('link', { name: 'Review' }).waitFor()
    await at.page.keyboard.press('g')
    await at.page.keyboard.press('a')
    await at.page.getByText('by keys').waitFor()
    await at.page.keyboard.press('Shift+A')
    await at.page.getByText('deployed', { exact: true }).waitFor()
    const { state } = await hive.decided(id)
    assert.deepEqual([state, (await hive.agent('alice', () => true)).sha], ['deployed', sha])
  })

  test('deny one with a reason, which the manager hears', async () => {
    const { id } = await proposed('never')
    await at.go(`/approvals/${id}`)
    await at.page.getByText('never').first().waitFor()
    await at.page.keyboard.press('Shift+D')
    await at.page.getByRole('dialog').getByRole('textbox').and(at.page.locator(':focus')).waitFor()
    await at.page.keyboard.type('not like this')
    await at.page
      .getByRole('button', { name: /^Deny$/ })
      .last()
      .click()
    await at.page.getByText('denied', { exact: true }).waitFor()
    const { state, note } = await hive.decided(id)
    assert.deepEqual([state, note], ['denied', 'not like this'])
  })

  test('what changed since it was shown is not approved, and the page says so', async () => {
    const { id } = await proposed('as shown')
    await at.go(`/approvals/${id}`)
    await at.page.getByText('as shown').waitFor()
    const other = await proposed('meanwhile')
    const { approval } = await (await hive.host()).show({ id: other.id })
    await (await hive.host()).approve({ id: other.id, base: approval.base, sha: approval.sha })
    assert.equal((await hive.decided(other.id)).state, 'deployed')
    await at.page.getByText(/changed since you opened it\. Nothing was done/).waitFor()
    const button = at.page.getByRole('button', { name: /^Approve & deploy/ })
    assert.ok(await button.isDisabled())
    await at.page.getByRole('button', { name: 'Show what it is now' }).click()
    await at.page.getByText(/It cannot be approved as it is/).waitFor()
    await at.page.getByText(/changed since you opened it/).waitFor({ state: 'detached' })
    assert.ok(await button.isDisabled())
    await (await hive.host()).deny({ id, reason: 'enough' })
  })

  test('answer a question: an option, Answer', async () => {
    const id = await asked('Where to?')
    const needs = at.page.getByRole('region', { name: 'Needs you' })
    await needs.getByRole('radio', { name: 'us' }).click()
    await needs.getByRole('button', { name: 'Answer', exact: true }).click()
    await needs.getByText('Where to?').waitFor({ state: 'detached' })
    assert.equal(await answerTo(id), 'us')
  })

  test('answer a question by keys: 1, Enter', async () => {
    const id = await asked('And then?')
    await at.page.getByRole('region', { name: 'Needs you' }).getByText('And then?').waitFor()
    await at.page.keyboard.press('1')
    await at.page.keyboard.press('Enter')
    await at.page.getByRole('region', { name: 'Needs you' }).getByText('And then?').waitFor({ state: 'detached' })
    assert.equal(await answerTo(id), 'eu')
  })

  test('see what an agent is doing: one click, or the palette, or g and its number', async () => {
    const log = at.page.getByRole('region', { name: 'Transcript' })
    await hive.tell('alice', 'bash echo seen-by-a-click')
    await at.page.getByRole('region', { name: 'Agents' }).getByRole('link', { name: 'alice' }).click()
    await log.getByText('seen-by-a-click').first().waitFor()
    await at.go('/')
    await at.page.getByRole('region', { name: 'Agents' }).waitFor()
    await openByKeys('alice')
    await log.getByText('seen-by-a-click').first().waitFor()
    await at.page.keyboard.press('Escape')
    await at.page.keyboard.press('g')
    await at.page.keyboard.press('1')
    await at.page.getByRole('heading', { name: 'manager', level: 1 }).waitFor()
  })

  test('steer it and stop it: a message, Cancel turn', async () => {
    await at.go('/a/alice')
    const composer = at.page.getByRole('textbox', { name: 'Message to alice' })
    await composer.fill('mumble 60000')
    await composer.press('Enter')
    await at.page.getByText('thinking').waitFor()
    await at.page.getByRole('button', { name: 'Cancel turn' }).click()
    await at.page.getByText('idle').waitFor()
    assert.equal((await hive.tell('alice', 'say on we go')).state, 'done')
    await at.page.getByText('on we go').last().waitFor()
  })

  test('empty the view with /clear, and have it back', async () => {
    assert.equal((await hive.tell('alice', 'say before')).state, 'done')
    await at.go('/a/alice')
    const log = at.page.getByRole('log')
    await log.getByText('before', { exact: true }).last().waitFor()
    const composer = at.page.getByRole('textbox', { name: 'Message to alice' })
    await composer.fill('/clear')
    await composer.press('Enter')
    await log.getByText('before', { exact: true }).last().waitFor({ state: 'detached' })
    assert.equal((await hive.tell('alice', 'say afterwards')).state, 'done')
    await log.getByText('afterwards', { exact: true }).last().waitFor()
    assert.equal(await log.getByText('before', { exact: true }).count(), 0)
    await log.getByRole('button', { name: 'Show it again' }).click()
    await log.getByText('before', { exact: true }).last().waitFor()
  })

  test('steer it and stop it by keys: i, type, Enter, Esc', async () => {
    await at.go('/a/alice')
    await at.page.getByRole('textbox', { name: 'Message to alice' }).waitFor()
    await at.page.keyboard.press('i')
    await at.page.keyboard.type('mumble 60000')
    await at.page.keyboard.press('Enter')
    await at.page.getByText('thinking').waitFor()
    await at.page.keyboard.press('Escape')
    await at.page.getByText('idle').waitFor()
    assert.equal((await hive.agent('alice', ({ turn }) => turn === null)).lastTurn?.reason, 'interrupted')
  })

  test('why did it fail: the row of the deploy says it, its page has the log', async () => {
    // It has no such secret, so its environment cannot be made.
    const { id } = await propose(hive, 'alice', {
      'agent.json': JSON.stringify({ env: { TOKEN: { secret: 'missing' } } }),
    })
    await at.go(`/approvals/${id}`)
    await at.page.getByText('missing').first().waitFor()
    await at.page.keyboard.press('Shift+A')
    await hive.decided(id)
    await at.go('/')
    const row = at.page.getByRole('region', { name: 'Deploy log' }).getByRole('listitem').first()
    await row.getByText(/missing/).waitFor()
    await row.getByRole('link', { name: `failed/${id}` }).click()
    await at.page.getByText('failed', { exact: true }).waitFor()
    await at.page.getByRole('heading', { name: 'Build log' }).waitFor()
  })
})
