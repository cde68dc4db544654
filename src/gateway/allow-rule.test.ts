import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { AgentConfig } from '../wire/agent-config.ts'
import { matchesRule, parseAllowRule } from './allow-rule.ts'
import { parseAuthority, type Target } from './target.ts'

const matches = (text: string, authority: string): boolean => {
  const rule = parseAllowRule(text)
  assert.ok(rule, text)
  return matchesRule(rule, parseAuthority(authority) as Target)
}

describe('a line of an egress list', () => {
  test('means a host, on every port or on one', () => {
    assert.ok(matches('example.com', 'example.com:443'))
    assert.ok(matches('Example.COM.', 'example.com.:22'))
    assert.ok(matches('example.com:443', 'example.com:443'))
    assert.ok(!matches('example.com:443', 'example.com:80'))
    assert.ok(!matches('example.com', 'sub.example.com:443'))
    assert.ok(!matches('example.com', 'notexample.com:443'))
  })

  test('means subdomains, not the domain itself', () => {
    assert.ok(matches('*.example.com', 'a.b.example.com:443'))
    assert.ok(matches('*.example.com:443', 'a.example.com:443'))
    assert.ok(!matches('*.example.com:443', 'a.example.com:80'))
    assert.ok(!matches('*.example.com', 'example.com:443'))
    assert.ok(!matches('*.example.com', 'notexample.com:443'))
  })

  test('means an address, in every spelling', () => {
    assert.ok(matches('8.8.8.8', '134744072:53'))
    assert.ok(matches('[2606:4700:0::1111]:443', '[2606:4700::1111]:443'))
    assert.ok(!matches('[2606:4700::1111]:443', '[2606:4700::1111]:80'))
  })

  test('is read whenever it may stand in agent.json', () => {
    const text = fc.oneof(
      fc.stringMatching(/^(\*\.)?[a-zA-Z0-9.-]{1,20}(:\d{1,5})?$/),
      fc.tuple(fc.ipV4(), fc.nat({ max: 99_999 })).map(([address, port]) => `${address}:${port}`),
      fc.domain(),
    )
    const isAccepted = (rule: string) => AgentConfig.safeParse({ egress: [rule] }).success
    fc.assert(fc.property(text.filter(isAccepted), (rule) => parseAllowRule(rule) !== undefined))
    for (const rule of ['example.com', '*.example.com:443', '8.8.8.8:53']) assert.ok(isAccepted(rule), rule)
    for (const rule of ['1.2.3.999', 'a:0', 'a:65536', '*', 'http://a', 'a b']) assert.ok(!isAccepted(rule), rule)
  })

  test('is refused when it means nothing', () => {
    for (const text of [
      '',
      '*',
      '*.',
      'a b',
      'a:0',
      'a:65536',
      'a:b',
      'http://a',
      'a/b',
      'a.*',
      '::1',
      'u@a',
      '*.*.a',
    ]) {
      assert.equal(parseAllowRule(text), undefined, text)
    }
  })
})
