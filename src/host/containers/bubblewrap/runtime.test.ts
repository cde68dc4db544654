import assert from 'node:assert/strict'
import { appendFileSync, copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { isAlive } from '../../../kit/detached.ts'
import { createSpec, DEPLOYMENT, FOREVER, launch, statusOf, waitForExit, waitForLine } from '../contract/subject.ts'
import type { ContainerEvent } from '../runtime.ts'
import { openBubblewrapSubject } from './test-subject.ts'

/** A log whose errors are kept. */
const createLogTo = (errors: unknown[]) =>
  pino({ level: 'error' }, { write: (line: string) => void errors.push(JSON.parse(line)) })

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

  for (const garbage of ['{ "exit-code": "x" }\n', '\0'.repeat(200), '\0\n{}\n']) {
    it(`keeps what cannot be read of one from stopping the others (${JSON.stringify(garbage).slice(0, 20)})`, async () => {
      const complaints: unknown[] = []
      const log = createLogTo(complaints)
      await using subject = await openBubblewrapSubject({ log })
      const { runtime } = subject
      const file = (name: string) => join(subject.stateDir, 'h-a', name)
      const stop = new AbortController()
      const events: ContainerEvent[] = []
      const watching = (async () => {
        for await (const event of runtime.watch(stop.signal)) events.push(event)
      })()
      const stateOf = async (name: string) => (await statusOf(runtime, name))?.state

      await launch(subject, 'h-a', FOREVER)
      await launch(subject, 'h-b', 'while [ ! -e "$STATE/go" ]; do sleep 0.02; done; exit 5')
      appendFileSync(file('status'), `${garbage}\n`)
      assert.deepEqual([await stateOf('h-a'), await stateOf('h-b')], ['running', 'running'])
      assert.match((await statusOf(runtime, 'h-a'))?.problem ?? '', /status cannot be read/)
      assert.equal((await statusOf(runtime, 'h-b'))?.problem, undefined)
      assert.equal(await runtime.kill('h-a'), undefined)
      assert.equal(await stateOf('h-a'), 'stopped')

      await runtime.start('h-a')
      const { init } = JSON.parse(readFileSync(file('run.json'), 'utf8')).processes
      assert.ok(isAlive(init))
      writeFileSync(file('run.json'), garbage)
      const again = await runtime.start('h-a')
      assert.ok(again.state === 'running' && !isAlive(init), 'what ran under a lost record has ended')
      assert.equal((await statusOf(runtime, 'h-a'))?.problem, undefined, 'it was started well')

      writeFileSync(file('run.json'), garbage)
      writeFileSync(file('deployment.json'), garbage)
      writeFileSync(file('spec.json'), garbage)
      assert.deepEqual([await stateOf('h-a'), await stateOf('h-b')], ['created', 'running'])
      await assert.rejects(runtime.start('h-a'), { code: 'internal', message: /spec\.json/ })
      assert.ok(complaints.length >= 4)

      // It can be made anew, or be removed.
      await launch(subject, 'h-a', FOREVER)
      const last = JSON.parse(readFileSync(file('run.json'), 'utf8')).processes.init
      for (const record of ['run.json', 'status', 'deployment.json', 'spec.json']) writeFileSync(file(record), garbage)
      await runtime.remove('h-a')
      assert.ok(!isAlive(last))
      assert.equal(await stateOf('h-a'), undefined)

      const ended = waitForExit(runtime, 'h-b')
      writeFileSync(join(subject.scratch, 'h-b/go'), '')
      assert.equal((await ended).exit?.code, 5)
      // The watch that was there all the time saw it too.
      const hasSeen = () => events.some(({ name, exit }) => name === 'h-b' && exit?.code === 5)
      while (!hasSeen()) await sleep(5)
      stop.abort()
      await watching
    })
  }

  it('takes no start for the remains of a life whose record is lost, whoever looks meanwhile', async () => {
    await using subject = await openBubblewrapSubject()
    const { runtime } = subject
    await launch(subject, 'h-a', FOREVER)
    for (let round = 0; round < 20; round++) {
      writeFileSync(join(subject.stateDir, 'h-a/run.json'), 'x')
      const looks = [runtime.list()]
      const started = runtime.start('h-a')
      for (let look = 0; look < round % 10; look++) {
        await sleep(1)
        looks.push(runtime.list())
      }
      assert.equal((await started).state, 'running')
      await Promise.all(looks)
      assert.equal((await statusOf(runtime, 'h-a'))?.state, 'running')
    }
  })

  it('takes the exit code that a payload forged, and goes on', async () => {
    await using subject = await openBubblewrapSubject()
    await launch(subject, 'h-a', FOREVER)
    appendFileSync(join(subject.stateDir, 'h-a/status'), '{ "exit-code": -2 }\n')
    const { state, exit } = await waitForExit(subject.runtime, 'h-a')
    assert.deepEqual({ state, exit }, { state: 'stopped', exit: { code: 254, signal: null, oom: false } })
  })

  it('ends all of a sandbox that does not come up in time', async () => {
    // While the payload is called bwrap, it cannot be told from bwrap itself.
    await using subject = await openBubblewrapSubject({ startTimeoutMs: 3000 })
    const programs = join(subject.scratch, 'programs')
    mkdirSync(programs)
    copyFileSync('/usr/bin/sleep', join(programs, 'bwrap'))
    const spec = createSpec(subject, 'h-a', FOREVER, {
      mounts: [{ host: programs, guest: '/programs', readOnly: true }],
    })
    const marker = `1000.${process.pid}`
    await subject.runtime.apply({ ...spec, argv: ['/programs/bwrap', marker] }, DEPLOYMENT)
    await assert.rejects(subject.runtime.start('h-a'), { code: 'unavailable', message: /did not start it within 3 s/ })
    const commandLines = readdirSync('/proc')
      .map((pid) => `/proc/${pid}/cmdline`)
      .map((file) => readIfThere(file))
    assert.ok(!commandLines.some((line) => line.includes(`/programs/bwrap\0${marker}`)))
    assert.equal((await statusOf(subject.runtime, 'h-a'))?.state, 'created')
    await launch(subject, 'h-a', FOREVER)
  })

  it('tells of a start that failed only what that start complained of', async () => {
    await using subject = await openBubblewrapSubject()
    await launch(subject, 'h-a', 'echo from an earlier life >&2; exit 0')
    await waitForExit(subject.runtime, 'h-a')
    const spec = createSpec(subject, 'h-a', FOREVER)
    await subject.runtime.apply({ ...spec, argv: ['/no/such/program'] }, DEPLOYMENT)
    await assert.rejects(subject.runtime.start('h-a'), (error: Error) => {
      assert.match(error.message, /no\/such\/program/)
      assert.doesNotMatch(error.message, /earlier life/)
      return true
    })
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

/** Processes come and go while they are listed. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
