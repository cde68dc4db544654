import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { HiveError } from '../wire/errors.ts'
import { parseScenarios, Scenarios } from './scenario.ts'
import { readScenarios } from './scenario-files.ts'
import { obey } from './scenarios/obey.ts'
import { team } from './scenarios/team.ts'

describe('scenario files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'scenarios-'))
  after(() => rmSync(directory, { recursive: true }))
  const write = (name: string, content: unknown): string => {
    const path = join(directory, name)
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }
  const refuses = (path: string, code: string, message: RegExp) =>
    assert.throws(
      () => readScenarios(path),
      (error) => {
        assert.ok(error instanceof HiveError)
        assert.equal(error.code, code)
        assert.match(error.message, message)
        return true
      },
    )

  test('are read from one file or from a directory with one for each agent', () => {
    const carol = { rules: [{ do: [{ say: 'I am carol.' }] }] }
    const expected = { carol: { about: '', ...carol } }
    const file = write('carol.json', carol)
    assert.deepEqual(readScenarios(directory), expected)
    rmSync(file)
    assert.deepEqual(readScenarios(write('all.json', { carol })), expected)
  })

  test('are refused with the place and what is wrong there', () => {
    const rule = (fields: object) => write('wrong.json', { carol: { rules: [fields] } })
    refuses(
      rule({ do: [{ shout: 'x' }] }),
      'bad_input',
      /wrong\.json: .*a step needs one of say, think, call.*carol\.rules\[0\]\.do\[0\]/s,
    )
    refuses(rule({ do: [{ fault: 'flood' }] }), 'bad_input', /fault: .*"prompt_too_long".*do\[0\]\.fault/s)
    refuses(rule({ do: [{ say: 'x', times: 2 }] }), 'bad_input', /say: .*"times"/s)
    refuses(rule({ body: '(', do: [] }), 'bad_input', /Invalid regular expression.*rules\[0\]\.body/s)
    refuses(rule({ when: {}, do: [] }), 'bad_input', /"when"/)
    refuses(write('broken.json', '{'), 'bad_input', /broken\.json is not JSON/)
    refuses(join(directory, 'none'), 'not_found', /none/)
  })

  test('that are built in are right', () => {
    assert.deepEqual(Object.keys(parseScenarios(Scenarios, { default: obey, ...team }, 'built in')), [
      'default',
      'manager',
      'alice',
      'bob',
      'scout',
    ])
  })
})
