import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type ListenOptions } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { execa } from 'execa'
import type { Mount } from '../runtime.ts'
import { type Capabilities, createSpec, DEPLOYMENT, FOREVER, launch, type MakeSubject } from './subject.ts'

const NODE: Mount = { host: process.execPath, guest: '/opt/node', readOnly: true }

/** Tries the targets in its argument, one line each: open, or the error. */
const CONNECT = `
const tryOne = (target) => new Promise((resolve) => {
  const socket = require('node:net').connect(target)
  socket.once('connect', () => resolve('open')).once('error', ({ code }) => resolve(code))
})
;(async () => {
  for (const target of JSON.parse(process.argv[1])) console.log(await tryOne(target))
  process.exit()
})()`

/** What separates a container from the host and from the others, whatever it is made of. */
export function testIsolation(make: MakeSubject, { isolates }: Capabilities): void {
  describe('isolation', { skip: !isolates && 'containers of this runtime are plain processes' }, () => {
    it('shows no file of another container', async () => {
      await using subject = await make()
      const spec = createSpec(subject, 'h-b', FOREVER, { uid: subject.uidOf(1) })
      await subject.runtime.apply(spec, DEPLOYMENT)
      await subject.runtime.start('h-b')
      const host = join(subject.scratch, 'h-b/secret-of-b')
      writeFileSync(host, 'hush')
      chmodSync(host, 0o644)
      const read = async (name: string, path: string) => (await subject.runtime.exec(name, ['cat', path])).stdout
      assert.equal(await read('h-b', '/state/secret-of-b'), 'hush')
      await launch(subject, 'h-a', FOREVER)
      assert.equal(await read('h-a', host), '')
      const search = ['find', '/', '-name', 'secret-of-b', '-not', '-path', '/proc/*']
      assert.equal((await subject.runtime.exec('h-a', search)).stdout, '')
    })

    it('shows no process of the host or of another container', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', 'exec sleep 1111')
      await launch(subject, 'h-b', 'exec sleep 2222', { uid: subject.uidOf(1) })
      const { stdout } = await subject.runtime.exec('h-a', ['sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "'])
      assert.match(stdout, /sleep 1111/)
      assert.doesNotMatch(stdout, /sleep 2222|--test/)
    })

    it('keeps a read-only mount read-only', async () => {
      await using subject = await make()
      const host = join(subject.scratch, 'ro')
      mkdirSync(host)
      writeFileSync(join(host, 'f'), 'clean')
      chmodSync(host, 0o777)
      chmodSync(join(host, 'f'), 0o666)
      await launch(subject, 'h-a', FOREVER, { mounts: [{ host, guest: '/ro', readOnly: true }] })
      for (const attempt of [
        'mount -o remount,rw,bind /ro',
        'mount -o remount,rw /ro',
        'unshare -Urm mount -o remount,rw,bind /ro',
        'umount -l /ro',
        'echo hacked > /ro/f',
        'rm /ro/f',
        'touch /ro/g',
      ]) {
        await subject.runtime.exec('h-a', ['sh', '-c', `${attempt}; echo hacked > /ro/f`])
        assert.equal(readFileSync(join(host, 'f'), 'utf8'), 'clean', attempt)
      }
    })

    it('has no network but its own loopback; a socket in a mounted directory is the way out', async () => {
      await using subject = await make()
      const directory = join(subject.scratch, 'run')
      mkdirSync(directory)
      const abstract = `\0hive-test-${process.pid}`
      await using tcp = await serve({ port: 0, host: '127.0.0.1' })
      await using hidden = await serve({ path: abstract })
      await using mounted = await serve({ path: join(directory, 's'), writableAll: true })
      assert.ok(hidden.server.listening && mounted.server.listening)
      const { port } = tcp.server.address() as { port: number }
      const targets = (path: string) =>
        JSON.stringify([{ port, host: '127.0.0.1' }, { path: abstract }, { path: join(path, 's') }])

      const control = await execa(process.execPath, ['-e', CONNECT, targets(directory)])
      assert.deepEqual(control.stdout.split('\n'), ['open', 'open', 'open'])
      await launch(subject, 'h-a', FOREVER, { mounts: [NODE, { host: directory, guest: '/run/hive', readOnly: true }] })
      const inside = await subject.runtime.exec('h-a', ['/opt/node', '-e', CONNECT, targets('/run/hive')])
      assert.deepEqual(inside.stdout.trim().split('\n'), ['ECONNREFUSED', 'ECONNREFUSED', 'open'])
      const devices = await subject.runtime.exec('h-a', ['sh', '-c', 'tail -n +3 /proc/net/dev | cut -d: -f1'])
      assert.equal(devices.stdout.trim(), 'lo')
    })
  })
}

async function serve(options: ListenOptions) {
  const server = createServer((socket) => socket.end()).listen(options)
  await once(server, 'listening')
  return {
    server,
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}
