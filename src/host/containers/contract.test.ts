import assert from 'node:assert/strict'
import { test } from 'node:test'
import { execa } from 'execa'
import { openBubblewrapSubject } from './bubblewrap/test-subject.ts'
import { testRuntime } from './contract.ts'
import { openFakeSubject } from './fake/test-subject.ts'

const isRoot = process.getuid?.() === 0
const ORDINARY_USER = ['--reuid', '12345', '--regid', '12345', '--clear-groups']

testRuntime(`bubblewrap as ${isRoot ? 'root' : 'an ordinary user'}`, () => openBubblewrapSubject(), {
  limits: await probeLimits(),
  isolates: true,
  confines: true,
  outlivesDaemon: true,
  ownUids: isRoot,
})

if (isRoot) {
  testRuntime('fake', openFakeSubject, {
    limits: [],
    isolates: false,
    confines: false,
    outlivesDaemon: false,
    ownUids: false,
  })

  test('bubblewrap as an ordinary user keeps the contract', async (t) => {
    const [node, file] = [process.execPath, import.meta.filename]
    const reads = await execa('setpriv', [...ORDINARY_USER, 'test', '-r', file, '-a', '-x', node], { reject: false })
    if (reads.exitCode !== 0) return t.skip(`uid 12345 cannot read ${file}: put the checkout where others can pass`)
    const { NODE_TEST_CONTEXT, ...env } = process.env
    const result = await execa('setpriv', [...ORDINARY_USER, node, file], {
      env: { ...env, TMPDIR: '/tmp', HOME: '/nonexistent' },
      extendEnv: false,
      all: true,
      reject: false,
    })
    assert.equal(result.exitCode, 0, result.all)
    t.diagnostic(
      result.all
        .split('\n')
        .filter((line) => /^ℹ (tests|pass|fail|skipped)/.test(line))
        .join(' '),
    )
  })
}

/** What this host lets this user limit is not for the suite to demand, only that it is true. */
async function probeLimits() {
  await using subject = await openBubblewrapSubject()
  return (await subject.runtime.probe()).limits
}
