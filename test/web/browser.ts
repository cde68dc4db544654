import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import type { TestHive } from '../hive.ts'

const APP = join(import.meta.dirname, '../../src/web/dist/index.html')

/** Chromium as it is installed. It belongs to whoever opens it. Throws when there is none, or no built app to look at. */
export async function openBrowser(): Promise<Browser> {
  assert.ok(existsSync(APP), 'the app is not built: npm run app')
  return await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      // Root has no other way, and the pages are our own.
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** Sizes of the screens that operators have, in CSS pixels. */
export const SCREENS = { phone: { width: 390, height: 844 }, desk: { width: 1360, height: 850 } }

export interface Visit extends AsyncDisposable {
  readonly page: Page
  /** Where the dashboard is: `http://127.0.0.1:7000`. */
  readonly base: string
  /** What no page should do: errors and warnings on the console, and requests that leave the hive. */
  readonly faults: string[]
  /** Opens a page of the app in the same tab. */
  go(path: string): Promise<void>
}

/** A browser profile of its own, let in by the link of the hive, on the dashboard. */
export async function visit(
  browser: Browser,
  hive: Pick<TestHive, 'host'>,
  { screen = SCREENS.desk, theme }: { screen?: { width: number; height: number }; theme?: string } = {},
): Promise<Visit> {
  const { url } = await (await hive.host()).web_link({})
  const base = new URL(url).origin
  const context = await browser.newContext({ viewport: screen })
  const page = await context.newPage()
  const faults: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => faults.push(`uncaught: ${error}`))
  page.on('request', (request) => {
    const target = request.url()
    if (!target.startsWith(`${base}/`) && !/^(data|blob):/.test(target)) faults.push(`request: ${target}`)
  })
  if (theme)
    await page.addInitScript((name) => localStorage.setItem('hive-preferences', name), JSON.stringify({ theme }))
  await page.goto(url)
  await page.getByRole('heading', { name: 'Needs you' }).waitFor()
  return {
    page,
    base,
    faults,
    go: async (path) => {
      await page.goto(base + path)
    },
    [Symbol.asyncDispose]: () => context.close(),
  }
}
