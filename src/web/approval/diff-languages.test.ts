import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getFiletypeFromFileName } from '@pierre/diffs'
import { DIFF_LANGUAGES, DIFF_THEMES } from './diff-languages.ts'

test('every language and theme of the build is there', async () => {
  for (const name of DIFF_LANGUAGES) assert.ok((await import(`@shikijs/langs/${name}`)).default.length > 0, name)
  for (const name of Object.values(DIFF_THEMES)) {
    assert.equal((await import(`@shikijs/themes/${name}`)).default.name, name)
  }
})

test('what stands in a configuration is coloured', () => {
  for (const file of [
    'agent.json',
    'AGENTS.md',
    'a/run.sh',
    'x.ts',
    'x.tsx',
    'x.mjs',
    'x.py',
    'x.yml',
    'Dockerfile',
    'Makefile',
  ]) {
    const language = getFiletypeFromFileName(file)
    assert.ok((DIFF_LANGUAGES as readonly (string | null)[]).includes(language), `${file}: ${language}`)
  }
})
