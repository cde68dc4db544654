import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'

const MAIN = join(import.meta.dirname, 'main.ts')

describe('the program of the scripted model', () => {
  const directory = mkdtempSync(join(tmpdir(), 'model-'))
  const children: ChildProcess[] = []
  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(directory, { recursive: true })
  })
  const start = (...flags: string[]) => {
    const child = spawn(process.execPath, [MAIN, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(child)
    return child
  }
  const firstLine = async (child: ReturnType<typeof start>): Promise<string> => {
    const [line] = await once(createInterface({ input: child.stdout }), 'line')
    return line
  }

  test('says where it listens, on stdout and in the file, and ends cleanly', async () => {
    const portFile = join(directory, 'port')
    const child = start('--port', '0', '--port-file', portFile)
    const { port } = JSON.parse(await firstLine(child))
    assert.equal(readFileSync(portFile, 'utf8'), String(port))
    assert.equal((await fetch(`http://127.0.0.1:${port}/`, { method: 'HEAD' })).status, 200)
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    assert.deepEqual(await exited, [0, null])
  })

  test('goes on when nobody reads its output any more', async () => {
    const child = start('--pace', '0')
    const { port } = JSON.parse(await firstLine(child))
    child.stdout.destroy()
    child.stderr.destroy()
    const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'say x' }] })
    for (let request = 0; request < 3; request++) {
      assert.equal((await fetch(`http://127.0.0.1:${port}/v1/messages`, { method: 'POST', body })).status, 200)
    }
  })

  test('refuses flags and files that are wrong, and a port that is taken, with one line that says why', async () => {
    const running = start()
    const { port } = JSON.parse(await firstLine(running))
    const complaints = {
      '--port=x': /--port x is no port/,
      '--loud': /'--loud'/,
      '--scenarios=/nowhere': /cannot read scenarios from \/nowhere/,
      [`--port=${port}`]: /EADDRINUSE/,
    }
    for (const [flag, complaint] of Object.entries(complaints)) {
      const child = start(flag)
      const [text, [code]] = await Promise.all([new Response(child.stderr as never).text(), once(child, 'exit')])
      assert.equal(code, 1)
      assert.match(text, complaint)
    }
  })
})
