import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createSpec, DEPLOYMENT, FOREVER, launch, statusOf, waitForExit, waitForLine } from '../contract/subject.ts'
import { openBubblewrapSubject } from './test-subject.ts'

const isRoot = process.getuid?.() === 0

describe('bubblewrap runtime', () => {
  it('never runs a container as the host’s root', { skip: !isRoot && 'the daemon is no root here' }, async () => {
    await using subject = await openBubblewrapSubject()
    const spec = createSpec(subject, 'h-a', FOREVER)
    await subject.runtime.apply({ ...spec, uid: undefined }, DEPLOYMENT)
    await assert.rejects(subject.runtime.start('h-a'), { code: 'bad_input' })
    await assert.rejects(subject.runtime.apply({ ...spec, uid: 0 }, DEPLOYMENT), { code: 'bad_input' })
  })

  it('refuses another uid as an ordinary user', { skip: isRoot && 'the daemon is root here' }, async () => {
    await using subject = await openBubblewrapSubject()
    await subject.runtime.apply({ ...createSpec(subject, 'h-a', FOREVER), uid: 4711 }, DEPLOYMENT)
    await assert.rejects(subject.runtime.start('h-a'), { code: 'bad_input' })
  })

  it('refuses names and paths that lead elsewhere', async () => {
    await using subject = await openBubblewrapSubject()
    const spec = createSpec(subject, 'h-a', FOREVER)
    const mount = { host: '/usr', guest: '/x/../etc', readOnly: true }
    for (const bad of [
      { name: '../h-a' },
      { name: '.etc' },
      { mounts: [mount] },
      { env: { 'A=B': '' } },
      { argv: [] },
    ]) {
      await assert.rejects(async () => subject.runtime.apply({ ...spec, ...bad }, DEPLOYMENT), { code: 'bad_input' })
    }
    await assert.rejects(async () => subject.runtime.start('../../etc'), { code: 'bad_input' })
  })

  it('keeps its files to itself and its logs small', async () => {
    await using subject = await openBubblewrapSubject()
    const stop = new AbortController()
    const watching = Array.fromAsync(subject.runtime.watch(stop.signal))
    await launch(subject, 'h-a', `yes "$(printf '%0999d' 7)" | head -c 20000000; echo; echo end; ${FOREVER}`)
    await waitForLine(subject.runtime, 'h-a', 'end')
    // An end is looked at together with the logs of what runs.
    await launch(subject, 'h-b', 'exit 0')
    await waitForExit(subject.runtime, 'h-b')
    const directory = join(subject.scratch, '../containers/h-a')
    assert.equal(statSync(directory).mode & 0o777, 0o700)
    const modes = readdirSync(directory).map((file) => [file, statSync(join(directory, file)).mode & 0o777] as const)
    assert.deepEqual(
      modes.filter(([, mode]) => mode !== 0o600),
      [],
    )
    stop.abort()
    await watching
    const bytes = modes.reduce((sum, [file]) => sum + statSync(join(directory, file)).size, 0)
    assert.ok(bytes < 20_000_000, `${bytes} bytes are kept`)
  })

  it('goes on without the bwrap outside, and notices the end all the same', async () => {
    await using subject = await openBubblewrapSubject()
    await launch(subject, 'h-a', 'while [ ! -e "$STATE/go" ]; do sleep 0.02; done; exit 0')
    const run = JSON.parse(readFileSync(join(subject.scratch, '../containers/h-a/run.json'), 'utf8'))
    process.kill(run.processes.monitor.pid, 'SIGKILL')
    assert.equal((await subject.runtime.exec('h-a', ['true'])).code, 0)
    assert.equal((await statusOf(subject.runtime, 'h-a'))?.state, 'running')
    const ended = waitForExit(subject.runtime, 'h-a')
    writeFileSync(join(subject.scratch, 'h-a/go'), '')
    assert.deepEqual((await ended).exit, { code: null, signal: 'SIGKILL', oom: false })
  })

  it('does not take the processes of another boot for its own', async () => {
    await using subject = await openBubblewrapSubject()
    const { incarnation } = await launch(subject, 'h-a', FOREVER)
    const file = join(subject.scratch, '../containers/h-a/run.json')
    const run = readFileSync(file, 'utf8')
    const { bootId } = JSON.parse(run)
    writeFileSync(file, run.replace(bootId, '00000000-0000-0000-0000-000000000000'))
    const status = await statusOf(subject.runtime, 'h-a')
    assert.deepEqual([status?.state, status?.incarnation, status?.exit], ['stopped', incarnation, undefined])
    writeFileSync(file, run)
    assert.equal((await statusOf(subject.runtime, 'h-a'))?.state, 'running')
  })
})
