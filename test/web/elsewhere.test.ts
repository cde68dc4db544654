import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { startTestHive, type TestHive } from '../hive.ts'
import { propose } from '../proposals.ts'
import { openBrowser, visit } from './browser.ts'

/** A page on another port of the same host, such as a program of an agent could serve, in a browser that knows the token. */
describe('a page from elsewhere (S4, S5, S7, S9, S32)', { timeout: 120_000 }, () => {
  let hive: TestHive
  let browser: Browser
  let elsewhere: Server
  let at: Awaited<ReturnType<typeof visit>>
  let page: Page
  let id: number
  before(async () => {
    hive = await startTestHive()
    await (await hive.host()).spawn({ name: 'alice' })
    const proposal = await propose(hive, 'alice', { 'agent.json': JSON.stringify({ env: { GREETING: 'x' } }) })
    id = proposal.id
    elsewhere = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end('<!doctype html><title>elsewhere</title><body>')
    })
    elsewhere.listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
    browser = await openBrowser()
    at = await visit(browser, hive)
    page = await at.page.context().newPage()
    await page.goto(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`)
  })
  after(async () => {
    await at?.[Symbol.asyncDispose]()
    await browser?.close()
    elsewhere?.close()
    await hive?.[Symbol.asyncDispose]()
  })
  const stillPending = async () => {
    const { approvals } = await (await hive.host()).pending({})
    assert.deepEqual(
      approvals.map((approval) => [approval.id, approval.state]),
      [[id, 'pending']],
    )
  }

  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json']) {
    test(`cannot post ${type} to it`, async () => {
      const outcome = await page.evaluate<string>(`fetch('${at.base}/api/op/approve', {
        method: 'POST', mode: '${type === 'application/json' ? 'cors' : 'no-cors'}', credentials: 'include',
        headers: { 'content-type': '${type}' }, body: JSON.stringify({ id: ${id} }),
      }).then((answer) => answer.type + ' ' + answer.status, (error) => error.name)`)
      // Opaque: it was sent, and its answer cannot be read.
      assert.match(outcome, /^(TypeError|opaque 0)$/)
      await stillPending()
    })
  }

  test('cannot submit a form to it', async () => {
    const tab = await page.context().newPage()
    await tab.goto(page.url())
    const answered = tab.waitForResponse((response) => response.url().startsWith(at.base))
    await tab.evaluate(`(() => {
      document.body.innerHTML = '<form method=post enctype=text/plain action="${at.base}/api/op/approve"><input name=id value=${id}></form>'
      document.forms[0].submit()
    })()`)
    assert.equal((await answered).status(), 403)
    await stillPending()
  })

  test('cannot read its state or its stream', async () => {
    for (const path of ['/api/state', '/api/stream?topics=state', '/metrics']) {
      const outcome = await page.evaluate<string>(
        `fetch('${at.base}${path}').then((answer) => answer.type + ' ' + answer.status, (error) => error.name)`,
      )
      assert.equal(outcome, 'TypeError', path)
    }
    const source = await page.evaluate<string>(`new Promise((done) => {
      const source = new EventSource('${at.base}/api/stream?topics=state')
      source.onopen = () => done('open')
      source.onerror = () => done('refused')
    })`)
    assert.equal(source, 'refused')
    const socket = await page.evaluate<string>(`new Promise((done) => {
      const socket = new WebSocket('${at.base.replace('http', 'ws')}/api/stream')
      socket.onopen = () => done('open')
      socket.onerror = () => done('refused')
    })`)
    assert.equal(socket, 'refused')
  })

  test('cannot put it into a frame, nor reach into its tab', async () => {
    const blocked = page.waitForEvent('console', (message) => /frame-ancestors|frame/i.test(message.text()))
    await page.evaluate(`(() => {
      const frame = document.createElement('iframe')
      frame.src = '${at.base}/approvals/${id}'
      document.body.append(frame)
    })()`)
    await blocked
    const opened = await page.evaluate<string>(`(async () => {
      const tab = open('${at.base}/')
      await new Promise((done) => setTimeout(done, 500))
      try { return 'token: ' + tab.localStorage.getItem('hive-token') } catch (error) { return error.name }
    })()`)
    assert.match(opened, /SecurityError|TypeError/)
    await stillPending()
  })
})
