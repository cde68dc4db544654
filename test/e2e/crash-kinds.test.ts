import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { probeSandbox } from '../../src/host/containers/choose.ts'
import { startTestHive, type TestHive } from '../hive.ts'
import { approve, propose } from '../proposals.ts'

const { limits } = await probeSandbox()

/** Five ends are seen in a second or two. */
const QUICK = { speedup: 20 }

/** What the manager was told of crashes. */
async function crashNews(hive: TestHive): Promise<{ agent: string; note: string }[]> {
  const { messages } = await (await hive.host()).messages({ agent: 'manager', limit: 1000 })
  return messages
    .filter(({ from, to }) => from === 'system' && to === 'manager')
    .map(({ body }) => JSON.parse(body))
    .filter(({ event }) => event === 'container_crash')
}

/** Resolves when the manager was told of so many. */
async function told(hive: TestHive, count: number) {
  for (;;) {
    const news = await crashNews(hive)
    if (news.length >= count) return news
    const host = await hive.host()
    const { cursor } = await host.messages({ limit: 1 })
    await host.messages({ after: cursor, wait_seconds: 0.2 })
  }
}

/** Has every harness that is started from now on run this instead. */
function replaceHarness({ stateDir }: TestHive, code: string): void {
  const apps = join(stateDir, 'app')
  for (const revision of readdirSync(apps)) writeFileSync(join(apps, revision, 'harness.mjs'), code)
}

const endOf = (hive: TestHive, agent: string) => process.kill(hive.processes(agent).harness, 'SIGKILL')

describe('a container that ends unasked', { timeout: 120_000 }, () => {
  test('again and again with exit code 1 is told of once, with what it said last, and given up', async () => {
    await using hive = await startTestHive(QUICK)
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    await host.kill({ agent: 'alice' })
    replaceHarness(hive, `console.error('no such luck'); process.exit(1)`)
    const starting = host.start({ agent: 'alice' }).catch(() => 'it never says hello')
    const { detail } = await hive.agent('alice', ({ state }) => state === 'failed')
    assert.match(detail ?? '', /ended 5 times.*exit code 1/)
    const [news, ...more] = await told(hive, 1)
    assert.deepEqual([news?.agent, more], ['alice', []])
    assert.match(news?.note ?? '', /exit code 1.*\n.*no such luck/s)
    const { needs } = await host.needs({})
    assert.deepEqual(
      needs.map(({ kind }) => kind),
      ['failed'],
    )
    await hive.kill()
    await starting
  })

  test('for want of memory is told of as that', {
    skip: !limits.includes('memory') && 'nothing limits memory here',
  }, async () => {
    await using hive = await startTestHive({ ...QUICK, memoryMiB: 512 })
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    await host.kill({ agent: 'alice' })
    replaceHarness(hive, 'const eaten = []; for (;;) eaten.push(Buffer.alloc(1 << 20, 1))')
    const starting = host.start({ agent: 'alice' }).catch(() => 'it never says hello')
    const [news] = await told(hive, 1)
    assert.match(news?.note ?? '', /out of memory/)
    await hive.kill()
    await starting
  })

  test('and is the manager’s is not told to it; it works on what it had', async () => {
    await using hive = await startTestHive()
    const { id } = await (await hive.host()).send({ to: 'manager', body: 'stall' })
    await hive.model.waitForRequest(({ agent }) => agent === 'manager')
    endOf(hive, 'manager')
    const done = await hive.message(id, ({ state }) => state === 'done')
    assert.deepEqual([done.attempt, done.failures], [2, 1])
    assert.deepEqual(await crashNews(hive), [])
  })
})

test('what a deploy or the end of the daemon ends is no crash', { timeout: 120_000 }, async () => {
  await using hive = await startTestHive()
  await (await hive.host()).spawn({ name: 'alice' })
  for (const config of ['{"model":"opus"}', '{"mcpServers":{"broken":{"command":"/no/such/program"}}}']) {
    const { id } = await propose(hive, 'alice', { 'agent.json': config })
    await approve(hive, id)
    await hive.decided(id)
  }
  const asking = (await hive.host()).restart({ agent: 'alice', now: true }).catch(() => 'the connection broke')
  await hive.kill()
  await asking
  await hive.start()
  await hive.agent('alice', ({ state }) => state === 'idle')
  assert.deepEqual(await crashNews(hive), [])
  endOf(hive, 'alice')
  const [news, ...more] = await told(hive, 1)
  assert.match(news?.note ?? '', /SIGKILL/)
  assert.deepEqual(more, [])
})
