import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import type { Deed } from '../audit-log.ts'
import { openFakeRuntime } from '../containers/fake/runtime.ts'
import { Terminals, type TerminalsOptions } from './terminals.ts'

const SIZE = { cols: 80, rows: 24 }
const NEVER = new AbortController().signal

/** Terminals over containers that are plain processes, with what the audit log was told. */
async function openSubject(options: Partial<TerminalsOptions> = {}) {
  const state = mkdtempSync(join(tmpdir(), 'hive-terminals-'))
  const runtime = openFakeRuntime()
  for (const agent of ['a', 'b', 'c']) {
    const spec = {
      name: `h-${agent}`,
      app: 'app-1',
      argv: ['sleep', '1000'],
      env: {},
      network: 'none',
      limits: {},
    } as const
    await runtime.apply(
      { ...spec, mounts: [{ host: state, guest: '/state', readOnly: false }] },
      { reference: 'a', revision: 'b' },
    )
    await runtime.start(`h-${agent}`)
  }
  const deeds: Deed[] = []
  const audit = { note: async (deed: Deed) => void deeds.push(deed) }
  const log = pino({ level: 'silent' })
  const terminals = new Terminals({ isOn: true, runtime, audit, log, ...options })
  return {
    terminals,
    runtime,
    told: () =>
      deeds.map(({ actor, verb, agent, detail }) => [actor, verb, agent, detail?.why].filter(Boolean).join(' ')),
    async [Symbol.asyncDispose]() {
      await terminals[Symbol.asyncDispose]()
      await runtime[Symbol.asyncDispose]()
      rmSync(state, { recursive: true })
    },
  }
}

/** Reads a terminal until what it wrote since `after` holds a text; gives the position of the end. */
async function readUntil(terminals: Terminals, id: string, wanted: string, after = 0): Promise<number> {
  for (let text = ''; ; ) {
    const { data, position, ended } = await terminals.get(id).read(after, 30_000, NEVER)
    text += data
    after = position
    if (text.includes(wanted)) return after
    assert.equal(ended, null, text)
  }
}

describe('terminals', { timeout: 60_000 }, () => {
  it('are off unless they are switched on, and then nothing is run or noted', async () => {
    await using subject = await openSubject({ isOn: false })
    await assert.rejects(subject.terminals.open('a', SIZE), { code: 'forbidden', hint: /"terminal": true/ })
    assert.deepEqual(subject.told(), [])
  })

  it('are two for an agent and four for a hive, those counted that are just being opened', async () => {
    await using subject = await openSubject()
    const { terminals } = subject
    const opening = ['a', 'a', 'b', 'b'].map((agent) => terminals.open(agent, SIZE))
    await assert.rejects(terminals.open('a', SIZE), { code: 'too_many', message: /of a/ })
    const [first = ''] = await Promise.all(opening)
    await assert.rejects(terminals.open('c', SIZE), { code: 'too_many' })
    await terminals.close(first)
    await terminals.open('c', SIZE)
  })

  it('make way for another when their reader has gone away', async () => {
    await using subject = await openSubject()
    const { terminals } = subject
    const [first = '', second = ''] = [await terminals.open('a', SIZE), await terminals.open('a', SIZE)]
    for (const id of [first, second]) {
      const gone = new AbortController()
      const reading = terminals.get(id).read(1_000_000, 30_000, gone.signal)
      gone.abort()
      await reading
    }
    // This one's came back.
    const reading = terminals.get(first).read(1_000_000, 30_000, NEVER)
    await terminals.open('a', SIZE)
    assert.deepEqual([terminals.get(first).isOver, terminals.get(second).isOver], [false, true])
    await assert.rejects(terminals.open('a', SIZE), { code: 'too_many' })
    await terminals.close(first)
    await reading
  })

  it('stand in the audit log before they are open, and when none came up', async () => {
    await using subject = await openSubject()
    await subject.runtime.kill('h-a')
    await assert.rejects(subject.terminals.open('a', SIZE), { code: 'conflict' })
    assert.deepEqual(subject.told(), ['operator terminal_open a', 'system terminal_close a conflict'])
  })

  it('give what was not said to have arrived again', async () => {
    await using subject = await openSubject()
    const { terminals } = subject
    const id = await terminals.open('a', SIZE)
    terminals.get(id).write(Buffer.from('echo "hel""lo"\n'))
    const readAll = async () => String((await terminals.get(id).read(0, 30_000, NEVER)).data)
    while (!(await readAll()).includes('hello')) await sleep(5)
    // As if no answer had come.
    assert.match(await readAll(), /hello/)
    const { position } = await terminals.get(id).read(0, 0, NEVER)
    await terminals.get(id).read(position, 0, NEVER)
    assert.doesNotMatch(await readAll(), /hello/)
  })

  it('halt what writes more than anybody reads, and lose nothing of it', async () => {
    await using subject = await openSubject()
    const { terminals } = subject
    const id = await terminals.open('a', SIZE)
    terminals.get(id).write(Buffer.from('stty -onlcr; PS1=; echo "be""gin"; seq 300000; echo "e""nd"\n'))
    let after = await readUntil(terminals, id, 'begin\n')
    // It writes 2 MB, of which nobody has taken any yet.
    let text = ''
    while (!text.includes('end\n')) {
      const { data, position } = await terminals.get(id).read(after, 30_000, NEVER)
      assert.ok(data.length <= 64 * 1024)
      text += data
      after = position
    }
    const numbers = text.match(/^\d+$/gm) ?? []
    assert.ok(numbers.length >= 290_000 && numbers.at(-1) === '300000', `${numbers.length} lines came`)
    const first = Number(numbers[1])
    assert.ok(numbers.slice(1).every((number, index) => Number(number) === first + index))
  })

  it('end when nobody reads them any more, not while somebody waits', async () => {
    await using subject = await openSubject({ idleMs: 300 })
    const { terminals } = subject
    const id = await terminals.open('a', SIZE)
    for (let after = await readUntil(terminals, id, ''), round = 0; round < 3; round++) {
      after = (await terminals.get(id).read(after, 500, NEVER)).position
    }
    while (subject.told().length < 2) await sleep(5)
    assert.equal(subject.told().at(-1), 'system terminal_close a nobody read it')
    while (hasTerminal(terminals, id)) await sleep(5)
  })

  it('end with their shell, their container and the hive', async () => {
    await using subject = await openSubject()
    const { terminals } = subject
    const endOf = async (id: string) => {
      for (let after = 0; ; ) {
        const { position, ended } = await terminals.get(id).read(after, 30_000, NEVER)
        if (ended !== null) return ended
        after = position
      }
    }
    const left = await terminals.open('a', SIZE)
    terminals.get(left).write(Buffer.from('exit\n'))
    assert.equal(await endOf(left), 'the shell ended')
    assert.throws(() => terminals.get(left).write(Buffer.from('x')), { code: 'conflict' })

    const stopped = await terminals.open('b', SIZE)
    await subject.runtime.kill('h-b')
    assert.equal(await endOf(stopped), 'the shell was killed')

    const last = await terminals.open('c', SIZE)
    const reading = terminals.get(last).read(1_000_000, 30_000, NEVER)
    await terminals[Symbol.asyncDispose]()
    assert.equal((await reading).ended, 'the hive stops')
    assert.equal(hasTerminal(terminals, last), false)
    await assert.rejects(terminals.open('c', SIZE), { code: 'unavailable' })
    assert.equal(subject.told().at(-1), 'system terminal_close c the hive stops')
  })
})

function hasTerminal(terminals: Terminals, id: string): boolean {
  try {
    return terminals.get(id) !== undefined
  } catch {
    return false
  }
}
