import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Settings } from '../kit/settings.ts'
import { HiveError } from '../wire/errors.ts'
import { approvalOf } from './fake-approvals.ts'
import { agentOf, FakeHive, messageOf } from './fake-hive.ts'
import { createTestIo, runHive } from './run-in-test.ts'

/** A hive whose daemon `up` or `serve` starts. */
async function prepare() {
  const hive = await FakeHive.open()
  await hive.stop()
  Object.assign(hive.also, { web_link: () => ({ url: 'http://127.0.0.1:7000/#t0ken' }) })
  const ended = Promise.withResolvers<void>()
  const stopCalled = Promise.withResolvers<void>()
  const seen: { settings?: Settings; stops: { stopAgents: boolean }[] } = { stops: [] }
  const end = async () => {
    await hive.stop()
    ended.resolve()
  }
  const startDaemon = async (settings: Settings, onStep: (step: string) => void) => {
    seen.settings = settings
    onStep('a sandbox is tried')
    await mayStart.promise
    await hive.start()
    return {
      notices: ['mind the \x1bgap'],
      done: ended.promise,
      stop: async (options: { stopAgents: boolean }) => {
        seen.stops.push(options)
        stopCalled.resolve()
        if (stopFailure) throw stopFailure
        if (!stuck) await end()
      },
    }
  }
  let stuck = false
  let stopFailure: Error | undefined
  let mayStart = { promise: Promise.resolve(), resolve: () => {}, reject: (_: unknown) => {} }
  const io = createTestIo()
  const run = (args: string[], env: NodeJS.ProcessEnv = {}) =>
    runHive(['--run-dir', hive.runDir, '--state-dir', `${hive.runDir}/state`, ...args], { io, startDaemon, env })
  const stickTo = () => {
    stuck = true
  }
  const failToStop = (error: Error) => {
    stopFailure = error
  }
  /** Keeps the daemon from having started; the result lets it. */
  const holdStart = () => {
    mayStart = Promise.withResolvers<void>()
    return mayStart
  }
  return {
    hive,
    io,
    seen,
    run,
    end,
    stickTo,
    failToStop,
    holdStart,
    stopCalled: stopCalled.promise,
    [Symbol.asyncDispose]: () => hive[Symbol.asyncDispose](),
  }
}

describe('hive up', () => {
  test('says loudly what answers, shows the flow, and stops its agents at the first Ctrl-C', async () => {
    process.env.TZ = 'UTC'
    await using started = await prepare()
    const { hive, io, seen, run } = started
    hive.put(messageOf(1, { body: 'before' }))
    const done = run(['up'])
    await io.seen('Messages as they move')
    await io.seen('alice                ready')
    hive.put(messageOf(2, { body: 'Build it.' }))
    await io.seen('Build it.')
    hive.agents.set('alice', agentOf('alice', { state: 'needs_login', detail: 'no login' }))
    await io.seen('needs a login')
    hive.approvals.put(approvalOf(3, { requester: 'mana\x1bger' }))
    await io.seen('approval 3')
    hive.approvals.put(approvalOf(4, { kind: 'spawn', sha: null, base: null, agent: 'scout' }))
    await io.seen('approval 4')
    io.signal('SIGINT')
    const { code, out, err } = await done
    assert.equal(code, 0)
    assert.deepEqual(seen.stops, [{ stopAgents: true }])
    assert.match(out, /▌ DEMO\. A scripted model answers: nothing is sent to Anthropic/)
    assert.match(out, /\n {2}Dashboard {2}http:\/\/127\.0\.0\.1:7000\/#t0ken\n/)
    assert.match(out, /\n {2}manager {2}idle {2}haiku\n {2}alice {4}idle {2}haiku\n/)
    assert.match(out, /14:03:22 {2}#2 {5}operator → manager {3}queued {5}Build it\.\n/)
    assert.match(out, /14:04:27 {9}alice {16}needs a login {2}no login\n/)
    assert.match(out, /14:04:27 {2}approval 3: mana\\x1bger proposes a change to alice: hive show 3\n/)
    assert.match(out, /14:04:27 {2}approval 4: manager asks for an agent scout: hive show 4\n/)
    assert.equal(out.split('approval 3').length, 2, 'said once')
    assert.doesNotMatch(out, /before/)
    assert.match(err, /^hive: starting …\nhive: mind the \\x1bgap\n\nhive: stopping the agents.*\nhive: stopped\n$/)
  })

  test('says that the real model costs, and that the network is open', async () => {
    await using started = await prepare()
    const { hive, io, run } = started
    hive.model = 'real'
    hive.network = 'host'
    const done = run(['up'])
    await io.seen('REAL MODEL')
    await io.seen('▌ NETWORK HOST: every agent has the network of this machine')
    io.signal('SIGTERM')
    assert.equal((await done).code, 0)
  })

  test('leaves at once at the second Ctrl-C', async () => {
    await using started = await prepare()
    const { io, run, stickTo, stopCalled, end } = started
    stickTo()
    const done = run(['up'])
    await io.seen('Messages as they move')
    io.signal('SIGINT')
    await stopCalled
    // As `npm start` passes on what the terminal has sent already.
    io.signal('SIGINT')
    assert.deepEqual(io.exits, [])
    io.tick(1000)
    io.signal('SIGINT')
    assert.deepEqual(io.exits, [130])
    await end()
    await done
  })

  test('says that it starts, and what takes its time', async () => {
    await using started = await prepare()
    const { io, run, holdStart } = started
    const { resolve } = holdStart()
    const done = run(['up'])
    await io.seen('hive: starting …')
    await io.seen('hive: still starting: a sandbox is tried')
    resolve()
    await io.seen('Messages as they move')
    io.signal('SIGINT')
    assert.equal((await done).code, 0)
  })

  test('stops its agents when Ctrl-C comes while it starts', async () => {
    await using started = await prepare()
    const { io, run, holdStart, seen } = started
    const { resolve } = holdStart()
    const done = run(['up'])
    await io.seen('hive: starting …')
    while (!seen.settings) await new Promise((resolve) => setImmediate(resolve))
    io.signal('SIGINT')
    await io.seen('stopping the agents')
    resolve()
    const { code, out, err } = await done
    assert.deepEqual([code, out], [0, ''])
    assert.deepEqual(seen.stops, [{ stopAgents: true }])
    assert.match(err, /hive: stopped\n$/)
  })

  test('is interrupted when Ctrl-C makes the start fail', async () => {
    await using started = await prepare()
    const { io, run, holdStart, seen } = started
    const { reject } = holdStart()
    const done = run(['up'])
    while (!seen.settings) await new Promise((resolve) => setImmediate(resolve))
    io.signal('SIGINT')
    reject(new HiveError('unavailable', 'the bundler was killed'))
    const { code, err } = await done
    assert.equal(code, 130)
    assert.match(err, /the start was interrupted: the bundler was killed/)
  })

  test('keeps the hive up when its view fails', async () => {
    await using started = await prepare()
    const { hive, io, run, seen } = started
    hive.failures.set('list', new HiveError('internal', 'no list today'))
    const done = run(['up'])
    await io.seen('the view failed; the hive runs on')
    assert.match(io.written.err, /hive: no list today\n/)
    assert.deepEqual(seen.stops, [])
    io.signal('SIGINT')
    assert.equal((await done).code, 0)
    assert.deepEqual(seen.stops, [{ stopAgents: true }])
  })

  for (const command of ['up', 'serve']) {
    test(`${command}: a stop that fails is said, and ends it with 1`, async () => {
      await using started = await prepare()
      const { io, run, failToStop, end } = started
      failToStop(new HiveError('internal', 'alice does not die'))
      const done = run([command])
      await io.seen('mind the')
      io.signal('SIGTERM')
      await io.seen('hive: alice does not die')
      assert.deepEqual(io.exits, [1])
      await end()
      await done
    })
  }

  test('ends well when the daemon was told to end', async () => {
    await using started = await prepare()
    const { io, run, end, seen } = started
    const done = run(['up'])
    await io.seen('Messages as they move')
    await end()
    assert.equal((await done).code, 0)
    assert.deepEqual(seen.stops, [])
  })

  test('refuses a second one and names the next step', async () => {
    await using started = await prepare()
    const { hive, run, seen } = started
    await hive.start()
    const { code, err } = await run(['up'])
    assert.equal(code, 5)
    assert.match(err, /this hive runs already \(pid 4242\)\n {2}`hive messages -f` shows its flow/)
    assert.equal(seen.settings, undefined)
  })

  test('prints messages as JSON lines and nothing else on stdout', async () => {
    await using started = await prepare()
    const { hive, io, run } = started
    const done = run(['up', '--json'])
    while (!hive.calls.some(([op, input]) => op === 'messages' && (input as { after?: number }).after !== undefined)) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    hive.put(messageOf(1))
    await io.seen('"id":1')
    io.signal('SIGHUP')
    assert.deepEqual(JSON.parse((await done).out), messageOf(1))
  })

  test('a dashboard that cannot be had is said, and ends nothing', async () => {
    await using started = await prepare()
    const { hive, io, run } = started
    hive.failures.set('web_link', new HiveError('unavailable', 'port 7000 cannot be listened on'))
    const done = run(['up'])
    await io.seen('Dashboard  none yet: port 7000 cannot be listened on; `hive open` gives the link later')
    await io.seen('alice                ready')
    io.signal('SIGINT')
    assert.equal((await done).code, 0)
  })

  test('makes settings of its flags', async () => {
    await using started = await prepare()
    const { hive, io, run, seen } = started
    const flags = ['--port', '7100', '--runtime', 'bubblewrap', '--no-demo', '--no-open', '--agent-env', 'KEY']
    const reach = ['--listen', '10.0.0.1', '--listen', '::1', '--allowed-host', 'hive.lan']
    const done = run(['up', ...flags, ...reach, '--agent-env', 'A=b'], { KEY: 's3cret' })
    await io.seen('Messages as they move')
    io.signal('SIGINT')
    const { err, out } = await done
    const { port, listen, allowedHosts, runtime, demo, agentEnv, runDir, stateDir, logLevel } =
      seen.settings ?? assert.fail()
    assert.deepEqual(
      { port, listen, allowedHosts, runtime, demo, agentEnv, runDir, stateDir, logLevel },
      {
        port: 7100,
        listen: ['10.0.0.1', '::1'],
        allowedHosts: ['hive.lan'],
        runtime: 'bubblewrap',
        demo: false,
        agentEnv: { KEY: 's3cret', A: 'b' },
        runDir: hive.runDir,
        stateDir: `${hive.runDir}/state`,
        logLevel: 'warn',
      },
    )
    assert.match(err, /warning: the value of A stands in the command line/)
    assert.doesNotMatch(out + err, /s3cret/)
  })

  test('takes config file, secrets file, log level and the demo from its flags', async () => {
    await using started = await prepare()
    const { hive, io, run, seen } = started
    const config = `${hive.runDir}/hive.json`
    const secrets = `${hive.runDir}/secrets`
    writeFileSync(
      config,
      JSON.stringify({ port: 7200, logLevel: 'error', model: 'opus', agentEnv: { A: 'file', B: 'b' } }),
    )
    writeFileSync(secrets, 'A=s3cret\n', { mode: 0o600 })
    const flags = ['--config', config, '--agent-env-file', secrets, '--log-level', 'debug', '--demo']
    const done = run(['up', ...flags])
    await io.seen('Messages as they move')
    io.signal('SIGINT')
    const { code, err } = await done
    assert.equal(code, 0)
    const { port, model, agentEnv, demo, logLevel } = seen.settings ?? assert.fail()
    assert.deepEqual(
      { port, model, agentEnv, demo, logLevel },
      { port: 7200, model: 'opus', agentEnv: { A: 's3cret', B: 'b' }, demo: true, logLevel: 'debug' },
    )
    assert.doesNotMatch(err, /warning/)
  })

  test('the config file has its say about the log, before what up prefers', async () => {
    await using started = await prepare()
    const { hive, io, run, seen } = started
    const config = `${hive.runDir}/hive.json`
    writeFileSync(config, JSON.stringify({ logLevel: 'error' }))
    const done = run(['up'], { HIVE_CONFIG: config })
    await io.seen('Messages as they move')
    io.signal('SIGINT')
    await done
    assert.deepEqual([seen.settings?.logLevel, seen.settings?.demo], ['error', undefined])
  })

  test('starts nothing with settings that are wrong, and says which', async () => {
    await using started = await prepare()
    const { run, seen } = started
    for (const [flags, said] of [
      [['--config', '/nonexistent.json'], /cannot read the config file \/nonexistent\.json: ENOENT/],
      [['--agent-env', 'ANTHROPIC_BASE_URL=127.0.0.1:8080'], /no http or https URL\n {2}ANTHROPIC_BASE_URL=http:/],
      [['--log-level', 'loud'], /Allowed choices are debug, info, warn, error/],
      [['--port', '70000'], /from 1 to 65535/],
      [['--run-dir', `/tmp/${'r'.repeat(80)}`], /is too long: sockets in it would have 114 bytes/],
      [['--state-dir', ''], /--state-dir is empty/],
    ] as const) {
      const { code, err } = await run(['up', ...flags])
      assert.equal(code, 2, err)
      assert.match(err, said)
    }
    assert.equal(seen.settings, undefined)
  })

  test('says why the daemon does not start', async () => {
    const startDaemon = () =>
      Promise.reject(new HiveError('unavailable', 'agents cannot be sandboxed here', { hint: 'hive doctor' }))
    const { code, err } = await runHive(['up', '--run-dir', '/nonexistent/hive'], { startDaemon })
    assert.deepEqual([code, err], [1, 'hive: starting …\nhive: agents cannot be sandboxed here\n  hive doctor\n'])
  })
})

for (const command of ['up', 'serve']) {
  test(`${command}: what the system refuses is an error with its next step`, async () => {
    const startDaemon = async (): Promise<never> => {
      mkdirSync('/proc/no')
      throw new Error('unreachable')
    }
    const { code, err } = await runHive([command, '--run-dir', '/nonexistent/hive'], { startDaemon })
    assert.equal(code, 1)
    assert.match(err, /hive: the hive cannot start: ENOENT.*mkdir '\/proc\/no'\n {2}hive doctor.*\n$/)
  })
}

describe('hive serve', () => {
  test('writes nothing to stdout and leaves its agents running', async () => {
    await using started = await prepare()
    const { io, run, seen } = started
    const done = run(['serve'])
    await io.seen('mind the')
    io.signal('SIGTERM')
    const { code, out } = await done
    assert.deepEqual([code, out], [0, ''])
    assert.deepEqual(seen.stops, [{ stopAgents: false }])
    assert.deepEqual([seen.settings?.demo, seen.settings?.logLevel], [undefined, 'info'])
  })
})
