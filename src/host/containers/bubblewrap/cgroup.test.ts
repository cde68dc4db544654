import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { createCgroup } from './cgroup.ts'

/** Plain files in place of a cgroup file system: this checks which are written, the contract's suite that it works. */
function makeTree(files: readonly string[]) {
  const root = mkdtempSync(join(tmpdir(), 'hive-cgroup-'))
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), '')
  }
  const read = (file: string) => readFileSync(join(root, file), 'utf8')
  return { root, read, [Symbol.dispose]: () => rmSync(root, { recursive: true }) }
}

describe('createCgroup', () => {
  it('sets limits with cgroup v2, and passes the controllers on from above', () => {
    using tree = makeTree(['cgroup.controllers', 'cgroup.procs'])
    const cgroup = createCgroup({ root: tree.root, own: '/', hive: 'hive' }, 'h-a')
    assert.deepEqual(cgroup.procs(), [])
    assert.deepEqual(cgroup.make({ memoryBytes: 1000, cpus: 0.5 }), ['memory', 'cpu', 'pids'])
    assert.deepEqual(cgroup.procs(), [join(tree.root, 'hive/h-a/cgroup.procs')])
    assert.equal(tree.read('hive/h-a/memory.max'), '1000')
    assert.equal(tree.read('hive/h-a/memory.swap.max'), '0')
    assert.equal(tree.read('hive/h-a/cpu.max'), '50000 100000')
    assert.equal(tree.read('hive/h-a/pids.max'), 'max')
    assert.equal(tree.read('hive/cgroup.subtree_control'), '+pids')
    cgroup.make({})
    assert.equal(tree.read('hive/h-a/memory.max'), 'max')
    assert.equal(tree.read('hive/h-a/memory.swap.max'), 'max')
    assert.equal(tree.read('hive/h-a/cpu.max'), 'max 100000')
  })

  it('works below the highest cgroup that an ordinary user was given', () => {
    const session = 'user.slice/user@1000.service'
    using tree = makeTree([
      'cgroup.controllers',
      `${session}/cgroup.procs`,
      `${session}/app.slice/cgroup.procs`,
      `${session}/app.slice/hive.service/cgroup.procs`,
    ])
    const own = `/${session}/app.slice/hive.service`
    createCgroup({ root: tree.root, own, hive: 'hive' }, 'h-a').make({ pids: 9 })
    assert.equal(tree.read(`${session}/hive/h-a/pids.max`), '9')
  })

  it('makes none, and says that nothing is enforced, where nothing was given', () => {
    using tree = makeTree(['cgroup.controllers'])
    const cgroup = createCgroup({ root: tree.root, own: '/', hive: 'hive' }, 'h-a')
    assert.deepEqual(cgroup.make({ pids: 9 }), [])
    assert.deepEqual(cgroup.procs(), [])
    assert.equal(cgroup.countOomKills(), 0)
  })

  it('counts a limit that this kernel does not have as not enforced, asked for or not', () => {
    using tree = makeTree(['cgroup.controllers', 'cgroup.procs'])
    // A directory in its place cannot be written to.
    for (const file of ['cpu.max', 'memory.swap.max']) mkdirSync(join(tree.root, 'hive/h-a', file), { recursive: true })
    const cgroup = createCgroup({ root: tree.root, own: '/', hive: 'hive' }, 'h-a')
    assert.deepEqual(cgroup.make({ memoryBytes: 1000 }), ['memory', 'pids'])
    assert.deepEqual(cgroup.make({ cpus: 1 }), ['memory', 'pids'])
  })

  it('sets limits with cgroup v1 where a controller is mounted', () => {
    using tree = makeTree(['memory/tasks', 'pids/tasks'])
    const cgroup = createCgroup({ root: tree.root, own: '/', hive: 'hive' }, 'h-a')
    assert.deepEqual(cgroup.make({ memoryBytes: 1000 }), ['memory', 'pids'])
    assert.equal(tree.read('memory/hive/h-a/memory.limit_in_bytes'), '1000')
    assert.equal(tree.read('memory/hive/h-a/memory.memsw.limit_in_bytes'), '1000')
    assert.equal(tree.read('pids/hive/h-a/pids.max'), 'max')
    assert.ok(!existsSync(join(tree.root, 'cpu')))
  })

  it('counts what the kernel killed for memory, with v2 and v1', () => {
    using v2 = makeTree(['cgroup.controllers', 'cgroup.procs', 'hive/h-a/memory.events'])
    writeFileSync(join(v2.root, 'hive/h-a/memory.events'), 'low 0\noom 3\noom_kill 2\noom_group_kill 0\n')
    assert.equal(createCgroup({ root: v2.root, own: '/', hive: 'hive' }, 'h-a').countOomKills(), 2)
    using v1 = makeTree(['memory/hive/h-a/memory.oom_control'])
    writeFileSync(join(v1.root, 'memory/hive/h-a/memory.oom_control'), 'oom_kill_disable 0\nunder_oom 0\noom_kill 4\n')
    assert.equal(createCgroup({ root: v1.root, own: '/', hive: 'hive' }, 'h-a').countOomKills(), 4)
  })
})
