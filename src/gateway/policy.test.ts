import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AllowRule, parseAllowRule } from './allow-rule.ts'
import { decide, mayGoOn, type Policy, type Surroundings } from './policy.ts'
import { parseAuthority, type Target } from './target.ts'

const NAMES: Record<string, string[]> = {
  'example.com': ['93.184.216.34'],
  'sub.example.com': ['93.184.216.34', '2606:2800:220:1::1'],
  'mixed.example': ['93.184.216.34', '127.0.0.1'],
  'mapped.example': ['::ffff:10.0.0.1'],
  'lan.example': ['192.168.1.1'],
  'self.example': ['5.6.7.8'],
}
const surroundings: Surroundings = {
  lookUp: async (host) => {
    const addresses = NAMES[host]
    if (!addresses) throw new Error('ENOTFOUND')
    return addresses
  },
  lookUpEndpoint: async (host) => (host === 'db.internal' ? ['10.0.0.5'] : []),
  isInOwnNetwork: (address) => address === '5.6.7.8',
}
const anywhere: Policy = { allow: undefined, endpoints: new Set(['127.0.0.1:8080', 'db.internal:5432']) }
const listed: Policy = {
  ...anywhere,
  allow: ['*.example.com', 'example.com:443', 'lan.example'].map((text) => parseAllowRule(text) as AllowRule),
}

const judge = async (authority: string, policy = anywhere) => {
  const verdict = await decide(parseAuthority(authority) as Target, policy, surroundings)
  return verdict.pass ? verdict.addresses : `${verdict.status} ${verdict.reason}`
}

describe('what may leave a sandbox', () => {
  test('goes to public addresses, on any port, and to those that were looked at', async () => {
    assert.deepEqual(await judge('example.com:443'), ['93.184.216.34'])
    assert.deepEqual(await judge('sub.example.com:22'), ['93.184.216.34', '2606:2800:220:1::1'])
    assert.deepEqual(await judge('8.8.8.8:53'), ['8.8.8.8'])
    assert.deepEqual(await judge('[2606:4700::1111]:443'), ['2606:4700::1111'])
  })

  test('does not go to a name that has one address which is not public', async () => {
    assert.match(String(await judge('mixed.example:80')), /^403 .*loopback/)
    assert.match(String(await judge('mapped.example:80')), /^403 .*not a public address/)
    assert.match(String(await judge('lan.example:80')), /^403 .*not a public address/)
  })

  test('does not go to the host, by none of its addresses', async () => {
    assert.match(String(await judge('127.1:80')), /^403 .*loopback/)
    assert.match(String(await judge('[::1]:80')), /^403 .*loopback/)
    assert.match(String(await judge('self.example:22')), /^403 .*the host itself/)
    assert.match(String(await judge('5.6.7.8:22')), /^403 .*the host itself/)
  })

  test('goes to what the operator opened, on that port only', async () => {
    assert.deepEqual(await judge('127.0.0.1:8080'), ['127.0.0.1'])
    assert.deepEqual(await judge('db.internal:5432'), ['10.0.0.5'])
    assert.match(String(await judge('127.0.0.1:8081')), /^403 .*"endpoints" in hive\.json/)
    assert.match(String(await judge('db.internal:22')), /^502/)
  })

  test('goes nowhere but to its list and to what the operator opened, when there is a list', async () => {
    assert.deepEqual(await judge('example.com:443', listed), ['93.184.216.34'])
    assert.equal(typeof (await judge('sub.example.com:80', listed)), 'object')
    assert.deepEqual(await judge('127.0.0.1:8080', listed), ['127.0.0.1'])
    assert.match(String(await judge('example.com:80', listed)), /^403 .*egress list.*ask the manager/)
    assert.match(String(await judge('8.8.8.8:53', listed)), /^403 .*egress list/)
    assert.match(String(await judge('8.8.8.8:53', { ...anywhere, allow: [] })), /^403 .*egress list/)
  })

  test('does not go to a private address because it is on a list', async () => {
    assert.match(String(await judge('lan.example:80', listed)), /^403 .*not a public address/)
  })

  test('goes on as long as it is on the list, or what the operator opened', () => {
    const goesOn = (authority: string, isEndpoint: boolean, policy: Policy) =>
      mayGoOn(parseAuthority(authority) as Target, isEndpoint, policy)
    assert.ok(goesOn('example.com:443', false, listed))
    assert.ok(goesOn('8.8.8.8:53', false, anywhere))
    assert.ok(!goesOn('8.8.8.8:53', false, listed))
    assert.ok(!goesOn('example.com:80', false, listed))
    assert.ok(goesOn('127.0.0.1:8080', true, listed))
    // It may be private: no list opens it, nor the lack of one.
    assert.ok(!goesOn('127.0.0.1:8080', true, { allow: undefined, endpoints: new Set() }))
  })

  test('goes nowhere when its name has no address', async () => {
    assert.equal(await judge('nowhere.example:80'), '502 nowhere.example cannot be resolved.')
  })
})
