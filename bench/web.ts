import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { startTestHive } from '../test/hive.ts'
import { approve, propose } from '../test/proposals.ts'
import { openBrowser, visit } from '../test/web/browser.ts'
import { playAgent, turnEvents } from '../test/web/played-agent.ts'
import { median, printMachine, printTable } from './measure.ts'

// The dashboard in Chromium: a transcript of 20,000 events, what comes while one looks, and a diff of 3,000 lines.
const TURNS = 4_000
const ROUNDS = 5
const PER_SECOND = 200
const SECONDS = 5

await using hive = await startTestHive()
const host = await hive.host()
for (const name of ['alice', 'bob']) await host.spawn({ name })
await host.kill({ agent: 'alice', now: true })
await using alice = await playAgent(hive, 'alice')
await alice.tell(Array.from({ length: TURNS }, (_, turn) => turnEvents(turn)).flat())
const lines = (word: string) =>
  Array.from({ length: 3_000 }, (_, line) => `line ${line} says ${line % 3 === 0 ? word : 'the same'}`).join('\n')
const first = await propose(hive, 'bob', { 'prompt.md': lines('one thing') })
await approve(hive, first.id)
await hive.decided(first.id)
const { id } = await propose(hive, 'bob', { 'prompt.md': lines('another thing') })

const browser = await openBrowser()
printMachine()
const rows: [string, string, string][] = []

/** Opens a page anew and gives how long that took until a text was there, in ms, and the longest task meanwhile. */
async function timeTo(path: string, text: string): Promise<{ ms: number; longest: number }> {
  await using at = await visit(browser, hive)
  await at.page.addInitScript(
    `globalThis.longest = 0; new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) globalThis.longest = Math.max(globalThis.longest, duration)
    }).observe({ type: 'longtask', buffered: true })`,
  )
  const began = performance.now()
  await at.go(path)
  await at.page.getByText(text, { exact: false }).first().waitFor()
  const ms = performance.now() - began
  await sleep(1_000)
  return { ms, longest: await at.page.evaluate<number>('globalThis.longest') }
}

async function report(name: string, path: string, text: string, budget: string): Promise<void> {
  const times = []
  for (let round = 0; round < ROUNDS; round++) times.push(await timeTo(path, text))
  rows.push([name, `${Math.round(median(times.map(({ ms }) => ms)))} ms`, budget])
  rows.push([`${name}: longest task`, `${Math.round(Math.max(...times.map(({ longest }) => longest)))} ms`, '300 ms'])
}

const frames = (page: Page, ms: number): Promise<number> =>
  page.evaluate<number>(`new Promise((done) => {
    const began = performance.now()
    let count = 0
    const next = () => (performance.now() - began < ${ms} ? (count++, requestAnimationFrame(next)) : done(count))
    requestAnimationFrame(next)
  })`)

try {
  await report('dashboard', '/', 'alice', '-')
  await report('20,000 events, to the bottom', '/a/alice', `task ${TURNS - 1}`, '1,500 ms')
  await report('diff of 3,000 lines', `/approvals/${id}`, 'another thing', '-')

  await using at = await visit(browser, hive)
  await at.go('/a/alice')
  await at.page.getByText(`task ${TURNS - 1}`).waitFor()
  const still = await frames(at.page, 2_000)
  const counting = frames(at.page, SECONDS * 1_000)
  for (let turn = 0; turn < (PER_SECOND * SECONDS) / 5; turn++) {
    await alice.tell(turnEvents(TURNS + turn))
    await sleep(5_000 / PER_SECOND)
  }
  rows.push(['frames a second, nothing comes', `${still / 2}`, '-'])
  rows.push([`frames a second, ${PER_SECOND} events a second`, `${(await counting) / SECONDS}`, '50'])
  const log = at.page.getByRole('log')
  await log.focus()
  while ((await at.page.getByText('task 0', { exact: true }).count()) === 0) await log.press('Home')
  const session = await at.page.context().newCDPSession(at.page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  rows.push(['heap with all of them read', `${(usedSize / 1e6).toFixed(1)} MB`, '60 MB'])
} finally {
  await browser.close()
}
printTable(['what', 'measured', 'budget'], rows)
