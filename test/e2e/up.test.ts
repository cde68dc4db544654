import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { isAlive, type ProcessId } from '../../src/kit/detached.ts'
import { connectOps } from '../../src/kit/op-client.ts'
import { hostSocketPath } from '../../src/kit/settings.ts'
import { hostOps } from '../../src/wire/host-ops.ts'

const BIN = join(import.meta.dirname, '../../bin/hive')

/** `hive up` as `npm start` runs it: no credentials, nothing configured, a process group of its own. */
class Up implements AsyncDisposable {
  readonly directory: string
  readonly #child
  readonly #ended
  readonly #watchers = new Set<() => void>()
  out = ''
  err = ''

  constructor(directory: string, args: readonly string[] = []) {
    this.directory = directory
    const argv = ['up', '--state-dir', join(directory, 'state'), '--run-dir', join(directory, 'run'), '--no-open']
    const env = { PATH: process.env.PATH, HOME: directory }
    this.#child = spawn(BIN, [...argv, ...args], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child.stdout.on('data', (chunk) => this.#note('out', chunk))
    this.#child.stderr.on('data', (chunk) => this.#note('err', chunk))
    this.#ended = once(this.#child, 'close')
    void this.#ended.then(() => this.#look())
  }

  #note(where: 'out' | 'err', chunk: Buffer): void {
    this[where] += chunk
    this.#look()
  }

  #look(): void {
    for (const look of this.#watchers) look()
  }

  /** Resolves when its output holds the text; fails when it ends before. */
  seen(text: string | RegExp): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const look = () => {
      const all = this.out + this.err
      if (typeof text === 'string' ? all.includes(text) : text.test(all)) resolve()
      else if (this.#child.exitCode !== null) reject(new Error(`hive up ended without ${text}:\n${all}`))
    }
    this.#watchers.add(look)
    look()
    return promise.finally(() => this.#watchers.delete(look))
  }

  /** Sends SIGINT to the program, or to all that a terminal would send it to; gives the exit code. */
  async interrupt(whom: 'program' | 'group' = 'program'): Promise<number | null> {
    const pid = this.#child.pid ?? assert.fail('hive up did not start')
    process.kill(whom === 'program' ? pid : -pid, 'SIGINT')
    const [code] = await this.#ended
    return code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.interrupt()
  }
}

const connect = (directory: string) => connectOps(hostOps, hostSocketPath(join(directory, 'run')))

/** Pids of what the files of a hive tell of and still runs, and of everything whose command line names its directory. */
function processesOf(directory: string): number[] {
  const state = join(directory, 'state')
  const containers = join(state, 'containers')
  const read = (file: string) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined)
  const noted: (ProcessId | undefined)[] = [
    ...['gateway', 'model'].map((name) => read(join(state, `${name}.process.json`))),
    ...(existsSync(containers) ? readdirSync(containers) : []).flatMap((name) =>
      Object.values<ProcessId>(read(join(containers, name, 'run.json'))?.processes ?? {}),
    ),
  ]
  const alive = noted.flatMap((found) => (found && isAlive(found) ? [found.pid] : []))
  const named = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandLine(name).includes(directory))
  return [...new Set([...alive, ...named.map(Number)])]
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // It has ended.
  }
}

function createDirectory(): string {
  const directory = mkdtempSync('/tmp/up-')
  // As root, agents have uids of their own, which have to get through.
  chmodSync(directory, 0o711)
  return directory
}

describe('npm start on a new machine', { timeout: 240_000 }, () => {
  let directory: string
  before(() => {
    directory = createDirectory()
  })
  after(() => rmSync(directory, { recursive: true }))

  /** The messages, when every one has ended, and the report to the operator is among them. */
  const readEnded = async () => {
    await using hive = await connect(directory)
    for (let cursor = 0; ; ) {
      const { messages } = await hive.call.messages({ limit: 1000 })
      const hasReport = messages.some(({ from, to }) => from === 'manager' && to === 'operator')
      if (hasReport && messages.every(({ state }) => state === 'done' || state === 'dead')) return messages
      cursor = (await hive.call.messages({ after: cursor, limit: 1000, wait_seconds: 1 })).cursor
    }
  }
  let first: Awaited<ReturnType<typeof readEnded>>

  test('the demo says that it is one, its agents work in sandboxes, every message is done', async () => {
    await using up = new Up(directory)
    await up.seen('hive: starting …')
    await up.seen('Messages as they move')
    assert.match(up.out, /▌ DEMO\. A scripted model answers: nothing is sent to Anthropic/)
    first = await readEnded()
    assert.deepEqual([...new Set(first.map(({ state }) => state))], ['done'])
    const { pid } = JSON.parse(readFileSync(join(directory, 'state/containers/h-alice/run.json'), 'utf8')).processes
      .payload
    assert.notEqual(namespaceOf(pid), namespaceOf('self'))
    for (const { id } of first) await up.seen(new RegExp(`#${id} .*done`))
    for (const name of ['manager', 'alice', 'bob']) await up.seen(new RegExp(`${name} +ready`))
    await up.seen('approval 1: manager asks for a configuration to write for scout: hive show 1')
    assert.ok(existsSync(join(directory, 'state/agents/alice/state/report.md')))
    assert.ok(processesOf(directory).length > 5)
    assert.equal(await up.interrupt(), 0)
    assert.match(up.err, /hive: stopped\n$/)
    assert.deepEqual(processesOf(directory), [])
  })

  test('the second start goes on: the same agents and messages, still the demo', async () => {
    await using up = new Up(directory)
    await up.seen('Messages as they move')
    assert.match(up.out, /▌ DEMO\./)
    const hive = await connect(directory)
    const { agents, model } = await hive.call.status({})
    assert.deepEqual(
      { names: agents.map(({ name }) => name).sort(), model },
      { names: ['alice', 'bob', 'manager'], model: 'demo' },
    )
    assert.deepEqual((await hive.call.messages({ limit: 1000 })).messages, first)
    const { id } = await hive.call.send({ to: 'alice', body: 'Who are you?' })
    await up.seen(new RegExp(`#${id} .*operator → alice .*done`))
    hive.close()
    assert.equal(await up.interrupt(), 0)
    assert.deepEqual(processesOf(directory), [])
  })

  test('--no-demo says that the real model answers', async () => {
    await using up = new Up(directory, ['--no-demo'])
    await up.seen('Messages as they move')
    assert.match(up.out, /▌ REAL MODEL\. Every turn of an agent calls it/)
    assert.doesNotMatch(up.out, /DEMO\./)
    assert.equal(await up.interrupt(), 0)
    assert.deepEqual(processesOf(directory), [])
  })
})

const namespaceOf = (pid: number | string): string => readlinkSync(`/proc/${pid}/ns/net`)

describe('Ctrl-C while a hive starts', { timeout: 240_000 }, () => {
  for (const whom of ['program', 'group'] as const) {
    test(`told to the ${whom}: nothing is left, and the next start comes up`, async () => {
      const directory = createDirectory()
      try {
        await using up = new Up(directory)
        await up.seen('hive: starting …')
        const code = await up.interrupt(whom)
        // A terminal tells the bundler too, and then there is nothing to start.
        assert.ok(code === 0 || (whom === 'group' && code === 130), `${code}: ${up.err}`)
        assert.deepEqual(processesOf(directory), [])
        await using again = new Up(directory)
        await again.seen('Messages as they move')
        assert.equal(await again.interrupt(), 0)
        assert.deepEqual(processesOf(directory), [])
      } finally {
        rmSync(directory, { recursive: true })
      }
    })
  }
})
