import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { approvalOf } from '../fake-approvals.ts'
import { FakeHive, messageOf } from '../fake-hive.ts'
import { permissionOf, questionOf } from '../fake-queue.ts'
import { runHive } from '../run-in-test.ts'

describe('completion', () => {
  let hive: FakeHive
  before(async () => {
    hive = await FakeHive.open()
    hive.put(messageOf(1, { body: 'tab\there\x1b[2J\nsecond' }))
    hive.put(messageOf(2))
    hive.approvals.put(approvalOf(5))
    hive.approvals.put(approvalOf(6, { kind: 'spawn', agent: 'bob', sha: null, base: null, state: 'approved' }))
    hive.approvals.secrets.set('github', 'x')
    const message = messageOf(2, { state: 'dead' })
    hive.needs.push(
      { kind: 'dead_letter', key: 'dead_letter', link: '/', since: 1, message, actions: ['hive requeue 2'] },
      { kind: 'login', key: 'login', link: '/', since: 1, agent: 'alice', detail: 'none', actions: [] },
    )
  })
  after(() => hive[Symbol.asyncDispose]())

  const complete = async (...words: string[]): Promise<string[]> => {
    const { code, out, err } = await runHive(['complete', '--words', '--', ...words])
    assert.deepEqual([code, err], [0, ''])
    return out.split('\n').filter(Boolean)
  }
  const values = async (...words: string[]) => (await complete(...words)).map((line) => line.split('\t')[0])
  const live = (...words: string[]) => values('--run-dir', hive.runDir, ...words)

  test('knows the commands, with what they do', async () => {
    assert.deepEqual(await complete('me'), [
      'messages\tList the newest messages, newest last, or follow what becomes of them.',
      'message\tShow one message.',
      'metrics\tThe state of the hive as Prometheus text.',
    ])
    assert.ok((await values('')).includes('help'))
    assert.deepEqual(await values('help', 'des'), ['destroy'])
    assert.deepEqual(await values('bash'), [])
  })

  test('knows options and the values that some of them take', async () => {
    assert.deepEqual(await values('messages', '--st'), ['--state', '--state-dir'])
    assert.deepEqual(await values('messages', '--state', 'd'), ['done', 'dead'])
    assert.deepEqual(await values('up', '--runtime', ''), ['auto', 'bubblewrap', 'fake'])
    assert.deepEqual(await values('complete', ''), ['bash', 'zsh', 'fish'])
    assert.deepEqual(await values('up', '--config', ''), [])
  })

  test('understands --option=value', async () => {
    assert.deepEqual(await values('messages', '--state=d'), ['--state=done', '--state=dead'])
    assert.deepEqual(await values('messages', '--follow='), [])
    assert.deepEqual(await values('up', '--runtime=fake', '--demo', '--log-level', 'd'), ['debug'])
    assert.deepEqual(await values(`--run-dir=${hive.runDir}`, 'logs', 'a'), ['alice'])
    assert.deepEqual(await live('messages', '--agent=a'), ['--agent=alice'])
  })

  test('understands it in the words that bash makes of it', async () => {
    assert.deepEqual(await values('messages', '--state', '='), ['queued', 'leased', 'done', 'dead'])
    assert.deepEqual(await values('messages', '--state', '=', 'd'), ['done', 'dead'])
    assert.deepEqual(await values('--run-dir', '=', hive.runDir, 'logs', 'a'), ['alice'])
  })

  test('knows the agents that live, wherever one can stand', async () => {
    assert.deepEqual(await live('logs', ''), ['manager', 'alice', 'gateway', 'model'])
    assert.deepEqual(await live('kill', 'alice', '--now', 'm'), ['manager'])
    assert.deepEqual(await live('send', ''), ['manager', 'alice'])
    assert.deepEqual(await live('open', 'a'), ['alice'])
    assert.deepEqual(await live('send', 'alice', ''), [])
    assert.deepEqual(await live('messages', '--agent', ''), ['manager', 'alice', 'operator'])
    assert.deepEqual(await live('list', ''), [])
  })

  test('knows messages, and which of them are dead', async () => {
    assert.deepEqual(await complete('--run-dir', hive.runDir, 'message', ''), [
      '2\toperator → manager: body of 2',
      '1\toperator → manager: tab here\\x1b[2J…',
    ])
    assert.deepEqual(await live('requeue', ''), ['2'])
    assert.deepEqual(await live('allow', ''), [])
  })

  test('knows approvals, those that can be decided, and secrets', async () => {
    assert.deepEqual(await complete('--run-dir', hive.runDir, 'show', ''), [
      '5\tmanager proposes a change to alice',
      '6\tmanager asks for an agent bob',
    ])
    assert.deepEqual(await live('approve', ''), ['5'])
    assert.deepEqual(await live('deny', ''), ['5'])
    assert.deepEqual(await live('audit', '--approval', ''), ['5', '6'])
    assert.deepEqual(await live('pending', '--agent', ''), ['manager', 'alice'])
    assert.deepEqual(await live('secret', 's'), ['set'])
    assert.deepEqual(await live('secret', 'remove', ''), ['github'])
  })

  test('knows reminders', async () => {
    const reminders = [{ id: 7, agent: 'alice', message: 'look\nagain', setAt: 1, dueAt: 2 }]
    Object.assign(hive.also, { reminders: () => ({ reminders, errors: [] }) })
    assert.deepEqual(await complete('--run-dir', hive.runDir, 'cancel-reminder', ''), ['7\talice: look…'])
    assert.deepEqual(await live('reminders', '--agent', ''), ['manager', 'alice'])
  })

  test('knows questions that are open and permissions that are asked for', async () => {
    Object.assign(hive.also, {
      questions: () => ({ questions: [questionOf(3, { question: 'which\x1b one?\nmore' })], errors: [] }),
      permissions: () => ({ permissions: [permissionOf(4)], errors: [] }),
    })
    assert.deepEqual(await complete('--run-dir', hive.runDir, 'answer', ''), ['3\tmanager: which\\x1b one?…'])
    assert.deepEqual(await live('cancel-question', ''), ['3'])
    assert.deepEqual(await complete('--run-dir', hive.runDir, 'permit', ''), ['4\talice: npm test --x'])
    assert.deepEqual(await live('refuse', ''), ['4'])
    assert.deepEqual(await live('questions', '--agent', ''), ['manager', 'alice'])
  })

  test('is silent without a daemon', async () => {
    assert.deepEqual(await complete('--run-dir', '/nonexistent', 'logs', ''), [])
  })

  test('works without the flag of the scripts, as far as it is no shell’s name', async () => {
    assert.match((await runHive(['complete', '--', 'messages', '--state', 'de'])).out, /^dead\t\n$/)
    const { code, err } = await runHive(['complete', 'tcsh'])
    assert.deepEqual([code, err], [2, 'hive: there is no completion for tcsh\n  bash, zsh or fish\n'])
  })

  describe('in real shells', () => {
    const directory = mkdtempSync(join(tmpdir(), 'hive-completion-'))
    const main = join(import.meta.dirname, '../../main.ts')
    writeFileSync(join(directory, 'hive'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
    chmodSync(join(directory, 'hive'), 0o755)
    after(() => rmSync(directory, { recursive: true }))
    /** What a shell prints; not waited for in a blocking way, since the daemon lives in this process. */
    const shell = async (name: string, args: string[]): Promise<string> => {
      const env = { PATH: `${directory}:${process.env.PATH}`, HOME: directory, HIVE_RUN_DIR: hive.runDir }
      const { stdout, stderr } = await promisify(execFile)(name, args, { env, cwd: directory })
      assert.equal(stderr, '')
      return stdout
    }
    const isMissing = (name: string) => (spawnSync(name, ['--version']).error ? `${name} is not installed` : false)

    test('bash', async () => {
      const type = (...words: string[]) =>
        shell('bash', [
          '-c',
          `source <(hive complete bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _hive; printf '%s\\n' "\${COMPREPLY[@]}"`,
          'bash',
          ...words,
        ])
      assert.equal(await type('hive', 'requ'), 'request-spawn\nrequeue\n')
      assert.equal(await type('hive', 'send', ''), 'manager\nalice\n')
      assert.equal(await type('hive', 'messages', '--state', '=', 'de'), 'dead\n')
    })

    test('zsh', { skip: isMissing('zsh') }, async () => {
      const type = (...words: string[]) =>
        shell('zsh', [
          '-f',
          '-c',
          `compdef() { }; _describe() { print -l -- "\${(@P)2}" }; _files() { print files }; source <(hive complete zsh); words=("$@"); CURRENT=$#; _hive`,
          'zsh',
          ...words,
        ])
      assert.equal(await type('hive', 'send', ''), 'manager:idle\nalice:idle\n')
      assert.equal(await type('hive', 'message', '2'), '2:operator → manager: body of 2\n')
      assert.equal(await type('hive', 'up', '--config', ''), 'files\n')
    })

    test('fish', { skip: isMissing('fish') }, async () => {
      const type = (line: string) => shell('fish', ['-N', '-c', `hive complete fish | source; complete -C '${line}'`])
      assert.equal(await type('hive logs '), 'alice\tidle\nmanager\tidle\n')
      assert.equal(await type('hive dro'), 'drop\tTake a dead message off the list.\n')
    })
  })
})
