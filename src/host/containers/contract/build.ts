import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { MakeSubject, Subject } from './subject.ts'

export function testBuild(make: MakeSubject): void {
  const build = (subject: Subject, directory: string, revision = 'r1') =>
    subject.runtime.build({ agent: 'a', directory, revision }, () => {}, new AbortController().signal)

  const commit = (subject: Subject, name: string, files: Record<string, string>): string => {
    const directory = join(subject.scratch, name)
    mkdirSync(directory)
    for (const [file, content] of Object.entries(files)) writeFileSync(join(directory, file), content)
    return directory
  }

  describe('build', () => {
    it('gives the same reference for the same files and another for others', async () => {
      await using subject = await make()
      const first = await build(subject, commit(subject, 'one', { 'agent.json': '{}', note: 'a' }))
      const same = await build(subject, commit(subject, 'two', { 'agent.json': '{}', note: 'a' }), 'r2')
      const other = await build(subject, commit(subject, 'three', { 'agent.json': '{}', note: 'b' }))
      assert.equal(same.reference, first.reference)
      assert.notEqual(other.reference, first.reference)
      assert.deepEqual([first.revision, same.revision], ['r1', 'r2'])
    })

    it('refuses an agent.json that is not an object of JSON', async () => {
      await using subject = await make()
      for (const [index, text] of ['{', '[]', 'null'].entries()) {
        const directory = commit(subject, `bad-${index}`, { 'agent.json': text })
        await assert.rejects(build(subject, directory), { code: 'bad_input' })
      }
    })
  })
}
