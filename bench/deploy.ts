import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MetaRepository } from '../src/host/repositories/meta-repository.ts'
import { AGENT, openProposals } from '../src/host/repositories/proposals-in-test.ts'
import { startTestHive } from '../test/hive.ts'
import { appliedOf, git, propose } from '../test/proposals.ts'
import { median, printMachine, printTable, quantile } from './measure.ts'

/** Deploys of one agent on bubblewrap, the first not counted. */
const DEPLOYS = 21
/** What a person takes to read a diff, in which everything comes to rest. */
const PAUSE_MS = 300

printMachine()
const alive = setInterval(() => {}, 1000)
const totals: number[] = []
const restarts: number[] = []
{
  await using hive = await startTestHive()
  const host = await hive.host()
  await host.spawn({ name: 'alice' })
  for (let n = 0; n < DEPLOYS; n += 1) {
    const { id, base, sha } = await propose(hive, 'alice', { 'agent.json': JSON.stringify({ model: `m${n}` }) })
    await hive.agent('alice', ({ state }) => state === 'idle')
    await sleep(PAUSE_MS)
    const start = performance.now()
    await host.approve({ id, base, sha })
    let after = 0
    for (;;) {
      const { approval, lines } = await host.deploy_log({ id, after, wait_seconds: 10 })
      after = lines.at(-1)?.n ?? after
      if (approval.state === 'deployed') break
      if (approval.state !== 'approved') throw new Error(`${approval.state}: ${approval.note}`)
    }
    totals.push(performance.now() - start)
    if (git(appliedOf(hive, 'alice'), 'rev-parse', 'main') !== sha) throw new Error('main is another commit')
    // The peer: what a deploy consists of anyway. Both wake the agent once, which is not counted.
    await sleep(PAUSE_MS)
    const restart = performance.now()
    await host.restart({ agent: 'alice' })
    await hive.agent('alice', ({ state }) => state !== 'offline' && state !== 'starting')
    restarts.push(performance.now() - restart)
  }
}
clearInterval(alive)

/** What a daemon does with git from an approval to its end, on repositories of their own. */
const gitMs: number[] = []
{
  using room = await openProposals()
  const { repositories } = room
  const meta = new MetaRepository({ directory: join(room.room, 'meta') })
  await meta.open()
  for (let id = 1, base = room.first; id <= DEPLOYS; id += 1) {
    const sha = room.commit({ 'agent.json': `{"model":"m${id}"}\n` })
    await room.take(id, sha)
    const start = performance.now()
    await repositories.diff(AGENT, base, sha)
    await repositories.descends(AGENT, base, sha)
    await repositories.tag(AGENT, id, 'approved', sha)
    await repositories.tag(AGENT, id, 'building', sha)
    await repositories.readFile(AGENT, sha, 'agent.json', 1_000_000)
    await repositories.extract(AGENT, sha, join(room.room, 'deployments', sha))
    await repositories.promote(AGENT, id, { sha, base })
    await meta.record(AGENT, { sha, artifact: 'a', approval: id, tag: `deployed/${id}` })
    gitMs.push(performance.now() - start)
    room.git('fetch', '--quiet', 'applied')
    base = sha
  }
}

const row = (name: string, all: readonly number[]) => {
  const counted = all.slice(1)
  return [name, counted.length, median(counted).toFixed(0), quantile(counted, 0.9).toFixed(0)]
}
printTable(
  ['', 'times', 'p50 ms', 'p90 ms'],
  [row('approve → deployed', totals), row('of which git', gitMs), row('restart → idle', restarts)],
)
console.log(`ratio of the medians: ${(median(totals.slice(1)) / median(restarts.slice(1))).toFixed(2)}`)
