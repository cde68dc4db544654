import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { FIRST_AGENT_UID } from '../../src/host/layout.ts'
import type { OpConnection } from '../../src/kit/op-client.ts'
import type { hostOps } from '../../src/wire/host-ops.ts'
import { startTestHive } from '../hive.ts'

type Host = OpConnection<typeof hostOps>['call']

const SIZE = { cols: 91, rows: 17 }

/** A terminal whose reader knows what it has read. */
async function openTerminal(host: Host, agent: string) {
  const { id } = await host.terminal_open({ agent, ...SIZE })
  let after = 0
  let text = ''
  const readOn = async (): Promise<string | null> => {
    const { data, position, ended } = await host.terminal_read({ id, after, wait_seconds: 30 })
    after = position
    text += Buffer.from(data, 'base64').toString('utf8')
    return ended
  }
  return {
    id,
    type: (line: string) => host.terminal_write({ id, data: Buffer.from(`${line}\n`).toString('base64') }),
    /** Reads on until a pattern is there, and gives the match; what was before it is not looked at again. */
    async until(pattern: RegExp): Promise<RegExpExecArray> {
      for (;;) {
        const found = pattern.exec(text)
        if (found) {
          text = text.slice(found.index + found[0].length)
          return found
        }
        assert.equal(await readOn(), null, `it ended before it said ${pattern}: ${text}`)
      }
    },
    async ended(): Promise<string> {
      for (;;) {
        const why = await readOn()
        if (why !== null) return why
      }
    },
  }
}

/** Processes of the host that have a text in their command line. */
function commandLinesWith(marker: string): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      } catch {
        return '' // It ended in between.
      }
    })
    .filter((line) => line.includes(marker))
}

describe('a terminal', { timeout: 120_000 }, () => {
  test('is refused unless the hive allows it', async () => {
    await using hive = await startTestHive()
    const host = await hive.host()
    assert.equal((await host.status({})).terminal, false)
    await assert.rejects(host.terminal_open({ agent: 'manager', ...SIZE }), {
      code: 'forbidden',
      hint: /"terminal": true/,
    })
  })

  test('is a shell of the agent in its sandbox, with a size, and closes with all that runs in it', async () => {
    await using hive = await startTestHive({ terminal: true })
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    const terminal = await openTerminal(host, 'alice')
    await terminal.type('stty size; hostname; pwd')
    await terminal.until(/\b17 91\r\nh-alice\r\n\/state\r\n/)
    await terminal.type(`grep -c 'Cap[IPEA].*[1-9a-f]$' /proc/self/status; awk '{print "is", $2}' /proc/self/uid_map`)
    const [, uid] = await terminal.until(/\b0\r\nis (\d+)\r\n/)
    if (process.getuid?.() === 0) assert.equal(Number(uid), FIRST_AGENT_UID + 1)

    await host.terminal_resize({ id: terminal.id, cols: 120, rows: 40 })
    await terminal.type('stty size')
    await terminal.until(/\b40 120\r\n/)

    // What a hangup does not end, in a session of its own.
    const marker = `100${process.pid}.5`
    await terminal.type(`(trap '' HUP; setsid nohup sleep ${marker} & sleep ${marker} & echo "star""ted"; wait)`)
    await terminal.until(/started/)
    // The shell says so before both of them have begun.
    while (commandLinesWith(marker).filter((line) => line.startsWith('sleep')).length < 2) await sleep(20)
    await host.terminal_close({ id: terminal.id })
    assert.equal(await terminal.ended(), 'it was closed')
    assert.deepEqual(commandLinesWith(marker), [])

    const { entries } = await host.audit({ agent: 'alice' })
    const deeds = entries.filter(({ verb }) => verb.startsWith('terminal'))
    assert.deepEqual(
      deeds.map(({ actor, verb, detail }) => ({ actor, verb, detail })),
      [
        { actor: 'operator', verb: 'terminal_open', detail: { terminal: terminal.id } },
        { actor: 'operator', verb: 'terminal_close', detail: { terminal: terminal.id, why: 'it was closed' } },
      ],
    )
  })

  test('ends when its shell does, with its container and with the daemon, however that ends', async () => {
    await using hive = await startTestHive({ terminal: true })
    let host = await hive.host()
    const left = await openTerminal(host, 'manager')
    await left.type('exit')
    assert.equal(await left.ended(), 'the shell ended')
    await assert.rejects(left.type('x'), { code: 'conflict' })

    const stopped = await openTerminal(host, 'manager')
    await host.kill({ agent: 'manager', now: true })
    assert.equal(await stopped.ended(), 'the shell was killed')
    await assert.rejects(host.terminal_open({ agent: 'manager', ...SIZE }), { code: 'conflict' })
    await host.start({ agent: 'manager' })

    for (const end of ['stop', 'kill'] as const) {
      const marker = `200${process.pid}.${end === 'stop' ? 1 : 2}`
      const terminal = await openTerminal(host, 'manager')
      await terminal.type(`echo "star""ted"; sleep ${marker}`)
      await terminal.until(/started/)
      await hive[end]()
      await hive.start()
      host = await hive.host()
      // The kernel ends them; nobody waits for it but us.
      while (commandLinesWith(marker).length > 0) await sleep(20)
      await assert.rejects(host.terminal_read({ id: terminal.id, after: 0 }), { code: 'not_found' })
    }
  })
})
