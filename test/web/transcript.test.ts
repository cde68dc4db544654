import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { startTestHive, type TestHive } from '../hive.ts'
import { openBrowser, SCREENS, visit } from './browser.ts'
import { type PlayedAgent, playAgent, turnEvents } from './played-agent.ts'

const TURNS = 4_000
const turns = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => turnEvents(first + index)).flat()

/** Of the page's own objects after everything else was collected, in MB. */
async function heapMb(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  return usedSize / 1e6
}

const nodes = (page: Page): Promise<number> => page.evaluate<number>("document.querySelectorAll('*').length")

/** Resolves when what was asked for until now is on the screen. */
const painted = (page: Page): Promise<unknown> =>
  page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(done))))')

describe('a transcript of 20,000 events', { timeout: 240_000 }, () => {
  let hive: TestHive
  let browser: Browser
  let alice: PlayedAgent
  let next = TURNS
  before(async () => {
    hive = await startTestHive()
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    await host.kill({ agent: 'alice', now: true })
    alice = await playAgent(hive, 'alice')
    await alice.tell(turns(0, TURNS))
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.close()
    await alice?.[Symbol.asyncDispose]()
    await hive?.[Symbol.asyncDispose]()
  })
  const more = async (count: number) => {
    await alice.tell(turns(next, count))
    next += count
    return next - 1
  }

  test('opens at its end, with what is in sight and little more', async () => {
    await using at = await visit(browser, hive)
    await at.go('/a/alice')
    await at.page.getByText(`task ${next - 1}`, { exact: true }).waitFor()
    assert.ok((await nodes(at.page)) < 2_000)
    assert.deepEqual(at.faults, [])
  })

  test('follows what comes while its end is in sight, each once', async () => {
    await using at = await visit(browser, hive)
    await at.go('/a/alice')
    await at.page.getByText(`task ${next - 1}`, { exact: true }).waitFor()
    const last = await more(200)
    await at.page.getByText(`task ${last}`, { exact: true }).waitFor()
    const numbers = await at.page.getByText(/^task \d+$/).allTextContents()
    assert.deepEqual(numbers, [...new Set(numbers)].sort())
    assert.ok((await nodes(at.page)) < 2_000)
    assert.deepEqual(at.faults, [])
  })

  test('stays where one reads while more comes, says how much, and goes there', async () => {
    await using at = await visit(browser, hive)
    await at.go('/a/alice')
    await at.page.getByText(`task ${next - 1}`, { exact: true }).waitFor()
    const log = at.page.getByRole('log')
    await log.hover()
    await at.page.mouse.wheel(0, -3_000)
    await at.page.getByRole('button', { name: 'Latest' }).waitFor()
    const seen = at.page.getByText(/^task \d+$/).first()
    const [text, place] = [await seen.textContent(), await seen.boundingBox()]
    const last = await more(5)
    await at.page.getByRole('button', { name: /new$/ }).waitFor()
    const now = await at.page.getByText(`${text}`, { exact: true }).boundingBox()
    assert.equal(Math.round(now?.y ?? 0), Math.round(place?.y ?? -1))
    await at.page.getByRole('button', { name: /new$/ }).click()
    await at.page.getByText(`task ${last}`, { exact: true }).waitFor()
    assert.deepEqual(at.faults, [])
  })

  test('is read back to where it began, without a hole, in 60 MB and 2,000 elements', async () => {
    await using at = await visit(browser, hive)
    await at.go('/a/alice')
    await at.page.getByText(`task ${next - 1}`, { exact: true }).waitFor()
    const log = at.page.getByRole('log')
    await log.focus()
    const beginning = at.page.getByText('Here it began.')
    for (;;) {
      await log.press('Home')
      if ((await beginning.count()) > 0 && (await at.page.getByText('task 0', { exact: true }).count()) > 0) break
    }
    assert.ok((await nodes(at.page)) < 2_000)
    const heap = await heapMb(at.page)
    assert.ok(heap <= 60, `${heap} MB`)
    // Down again, less than a screen at a time: every turn follows the one before it.
    await log.hover()
    const seen: number[] = []
    while (seen.length < 100) {
      for (const text of await at.page.getByText(/^task \d+$/).allTextContents()) {
        const number = Number(text.slice('task '.length))
        if (number > (seen.at(-1) ?? -1)) seen.push(number)
      }
      await at.page.mouse.wheel(0, 400)
      await painted(at.page)
    }
    assert.deepEqual(
      seen,
      seen.map((_, index) => index),
    )
    assert.deepEqual(at.faults, [])
  })

  test('finds what was long ago, and shows it with what is around it', async () => {
    await using at = await visit(browser, hive)
    await at.go('/a/alice')
    await at.page.getByText(`task ${next - 1}`, { exact: true }).waitFor()
    await at.page.keyboard.press('f')
    await at.page.getByRole('searchbox').fill('output 5 of 1315')
    await at.page.keyboard.press('Enter')
    await at.page
      .getByText(/output 5 of 1315/)
      .first()
      .click()
    await at.page.getByText('task 1315', { exact: true }).waitFor()
    assert.match(at.page.url(), /\/a\/alice\/e\/\d+$/)
    assert.deepEqual(at.faults, [])
  })

  for (const [name, screen] of Object.entries({ ...SCREENS, between: { width: 800, height: 900 } })) {
    test(`is painted, not only there: ${name}`, async () => {
      await using at = await visit(browser, hive, { screen })
      await at.go('/a/alice')
      await at.page.getByText(`task ${next - 1}`, { exact: true }).waitFor()
      const picture = await at.page.getByRole('log').screenshot({ animations: 'disabled' })
      const inked = await inkedShare(at.page, picture)
      assert.ok(inked > 0.35, `${inked} of its lines have ink`)
    })
  }
})

/** The share of the lines of pixels in a picture that have more than one colour. */
const inkedShare = (page: Page, png: Buffer): Promise<number> =>
  page.evaluate<number>(`(async () => {
    const bytes = Uint8Array.from(atob('${png.toString('base64')}'), (character) => character.charCodeAt(0))
    const picture = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
    const canvas = new OffscreenCanvas(picture.width, picture.height)
    const context = canvas.getContext('2d')
    context.drawImage(picture, 0, 0)
    let inked = 0
    for (let y = 0; y < picture.height; y++) {
      const line = new Uint32Array(context.getImageData(0, y, picture.width, 1).data.buffer)
      if (line.some((pixel) => pixel !== line[0])) inked++
    }
    return inked / picture.height
  })()`)
