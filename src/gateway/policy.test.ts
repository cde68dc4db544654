import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decide, type Policy } from './policy.ts'
import { isPublicAddress } from './public-address.ts'
import { parseAbsoluteUrl, parseAuthority } from './target.ts'

const anywhere: Policy = { allow: undefined, endpoints: new Set(['127.0.0.1:8080', 'db.internal:5432']) }
const names: Record<string, string[]> = {
  'example.com': ['93.184.216.34'],
  'sub.example.com': ['93.184.216.34', '2606:2800:220:1::1'],
  'evil.example': ['93.184.216.34', '127.0.0.1'],
  'db.internal': ['10.0.0.5'],
  localhost: ['127.0.0.1'],
}
const resolve = async (host: string) => {
  const addresses = names[host]
  if (!addresses) throw new Error('ENOTFOUND')
  return addresses
}
const judge = async (authority: string, policy: Policy = anywhere) => {
  const target = parseAuthority(authority)
  if (!target) return 'unreadable'
  const verdict = await decide(target, policy, resolve)
  return verdict.pass ? verdict.addresses : verdict.status
}

describe('what may leave a sandbox', () => {
  test('public addresses pass, by name and by number', async () => {
    assert.deepEqual(await judge('example.com:443'), ['93.184.216.34'])
    assert.deepEqual(await judge('EXAMPLE.com.:443'), ['93.184.216.34'])
    assert.deepEqual(await judge('8.8.8.8:53'), ['8.8.8.8'])
    assert.deepEqual(await judge('[2606:4700::1111]:443'), ['2606:4700::1111'])
  })

  test('a name with one address that is not public is refused whole', async () => {
    assert.equal(await judge('evil.example:80'), 403)
    assert.equal(await judge('localhost:80'), 403)
    assert.equal(await judge('nowhere.example:80'), 502)
  })

  test('every spelling of a private address is refused', async () => {
    const spellings = [
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f.1',
      '0177.0.0.1',
      '0',
      '10.1.2.3',
      '172.31.0.1',
      '192.168.1.1',
    ]
    const six = [
      '::1',
      '::',
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      'fe80::1',
      'fc00::1',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
      'ff02::1',
      '2001:db8::1',
    ]
    for (const host of [
      ...spellings,
      '169.254.169.254',
      '100.64.0.1',
      '224.0.0.1',
      '255.255.255.255',
      '１２７.0.0.1',
    ]) {
      assert.equal(await judge(`${host}:80`), 403, host)
    }
    for (const host of six) assert.equal(await judge(`[${host}]:80`), 403, host)
  })

  test('what the operator configured passes, on that port only', async () => {
    assert.deepEqual(await judge('127.0.0.1:8080'), ['127.0.0.1'])
    assert.deepEqual(await judge('db.internal:5432'), ['10.0.0.5'])
    assert.equal(await judge('127.0.0.1:8081'), 403)
    assert.equal(await judge('db.internal:22'), 403)
  })

  test('with a list only what is on it passes', async () => {
    const policy: Policy = { ...anywhere, allow: ['*.example.com', 'example.com:443'] }
    assert.deepEqual(await judge('example.com:443', policy), ['93.184.216.34'])
    assert.equal(await judge('example.com:80', policy), 403)
    assert.equal(typeof (await judge('sub.example.com:80', policy)), 'object')
    assert.equal(await judge('notexample.com:443', policy), 403)
    assert.deepEqual(await judge('127.0.0.1:8080', policy), ['127.0.0.1'])
    assert.equal(await judge('8.8.8.8:53', policy), 403)
  })

  test('what cannot be read is no target', () => {
    for (const authority of [
      '',
      'example.com',
      'example.com:0',
      'example.com:99999',
      'user@example.com:80',
      'a/b:80',
      'a b:80',
      ':80',
      '[::1:80',
    ]) {
      assert.equal(parseAuthority(authority), undefined, authority)
    }
    for (const url of [
      '/path',
      'https://example.com/',
      'http://user:pw@example.com/',
      'ftp://example.com/',
      'http://',
    ]) {
      assert.equal(parseAbsoluteUrl(url), undefined, url)
    }
    assert.deepEqual(parseAbsoluteUrl('http://Example.com/a?b'), { host: 'example.com', port: 80, path: '/a?b' })
  })

  test('an address that is no address is not public', () => {
    assert.equal(isPublicAddress('example.com'), false)
  })
})
