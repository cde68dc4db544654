import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { HiveError } from '../wire/errors.ts'
import { readAgentEnv } from './agent-env.ts'

describe('the environment of agents', () => {
  const directory = mkdtempSync(join(tmpdir(), 'agent-env-'))
  after(() => rmSync(directory, { recursive: true }))
  const write = (text: string, mode = 0o600) => {
    const path = join(directory, 'env')
    writeFileSync(path, text)
    chmodSync(path, mode)
    return path
  }
  const never = (text: string) => assert.fail(text)
  const isRefusal = (message: RegExp, hint?: RegExp) => (error: unknown) => {
    assert.ok(error instanceof HiveError)
    assert.equal(error.code, 'bad_input')
    assert.match(error.message, message)
    if (hint) assert.match(error.hint ?? '', hint)
    return true
  }

  test('takes a value from hive’s own environment, the empty one included', () => {
    assert.deepEqual(readAgentEnv({ agentEnv: ['KEY', 'NONE'] }, { KEY: 's3cret', NONE: '' }, never), {
      KEY: 's3cret',
      NONE: '',
    })
  })

  test('refuses a name that is not set', () => {
    assert.throws(
      () => readAgentEnv({ agentEnv: ['KEY'] }, {}, never),
      isRefusal(/no KEY in the environment/, /export/),
    )
  })

  test('takes a value from the flag, warning without quoting it', () => {
    const warnings: string[] = []
    const env = readAgentEnv({ agentEnv: ['URL=http://x/?a=b', 'EMPTY='] }, {}, (text) => warnings.push(text))
    assert.deepEqual(env, { URL: 'http://x/?a=b', EMPTY: '' })
    assert.equal(warnings.length, 2)
    assert.match(warnings[0] ?? '', /`ps` shows/)
    assert.doesNotMatch(warnings.join(), /http/)
  })

  test('refuses what is no name', () => {
    for (const flag of ['=x', '1A=x', 'A B=x', '', 'A-B']) {
      assert.throws(() => readAgentEnv({ agentEnv: [flag] }, {}, never), isRefusal(/no name/), flag)
    }
  })

  test('reads KEY=VALUE lines to the letter, without comments and empty lines', () => {
    const agentEnvFile = write('# keys\n\nA= "x y" \nB=c=d\r\nC=\n')
    assert.deepEqual(readAgentEnv({ agentEnvFile }, {}, never), { A: ' "x y" ', B: 'c=d', C: '' })
    assert.deepEqual(readAgentEnv({ agentEnvFile, agentEnv: ['C'] }, { C: 'flag' }, never).C, 'flag')
  })

  test('names the line that is wrong, not what stands there', () => {
    const agentEnvFile = write('A=1\nsk-ant-secret\n')
    assert.throws(
      () => readAgentEnv({ agentEnvFile }, {}, never),
      (error: unknown) => isRefusal(/line 2/)(error) && !String(error).includes('sk-ant'),
    )
  })

  test('refuses a file that everyone may read, with the command that changes it', () => {
    const agentEnvFile = write('A=1', 0o644)
    assert.throws(() => readAgentEnv({ agentEnvFile }, {}, never), isRefusal(/everyone/, /^chmod 600 /))
    chmodSync(agentEnvFile, 0o640)
    assert.deepEqual(readAgentEnv({ agentEnvFile }, {}, never), { A: '1' })
  })

  test('refuses a file that is not there, or is none', () => {
    assert.throws(() => readAgentEnv({ agentEnvFile: join(directory, 'no') }, {}, never), isRefusal(/cannot read/))
    assert.throws(() => readAgentEnv({ agentEnvFile: directory }, {}, never), isRefusal(/is no file/))
  })
})
