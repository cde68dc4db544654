import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatTarget, parseAbsoluteUrl, parseAuthority } from './target.ts'

describe('the target of a request', () => {
  test('has one spelling, whatever was written', () => {
    const spellings: Record<string, string> = {
      'EXAMPLE.com.:443': 'example.com:443',
      '127.1:80': '127.0.0.1:80',
      '0x7f.1:80': '127.0.0.1:80',
      '0177.0.0.1:80': '127.0.0.1:80',
      '2130706433:80': '127.0.0.1:80',
      '0:80': '0.0.0.0:80',
      '１２７.0.0.1:80': '127.0.0.1:80',
      '%31%32%37.0.0.1:80': '127.0.0.1:80',
      '127.0.0.1.:80': '127.0.0.1:80',
      '[0:0:0:0:0:0:0:1]:80': '[::1]:80',
      '[::ffff:127.0.0.1]:80': '[::ffff:7f00:1]:80',
      'bücher.example:80': 'xn--bcher-kva.example:80',
    }
    for (const [written, meant] of Object.entries(spellings)) {
      const target = parseAuthority(written)
      assert.equal(target && formatTarget(target), meant, written)
    }
  })

  test('is none when it cannot be read', () => {
    const unreadable = ['', 'a', 'a:', 'a:0', 'a:65536', 'a:1x', 'u@a:80', 'u:p@a:80', 'a/b:80', 'a b:80', ':80']
    const odd = ['[::1:80', '::1:80', '[fe80::1%25eth0]:80', 'a\\b:80', 'a\r\nb:80', '256.1.1.1:80', '1.2.3.4.5:80']
    for (const authority of [...unreadable, ...odd, `${'a'.repeat(300)}:80`, '.:80', '%:80']) {
      assert.equal(parseAuthority(authority), undefined, authority)
    }
  })

  test('of an http URL comes with the path as it was written', () => {
    const paths: Record<string, string> = {
      'http://a': '/',
      'http://a/': '/',
      'HTTP://a?q': '/?q',
      'http://a/x/../%2e%2e/y?z=1#part': '/x/../%2e%2e/y?z=1',
    }
    for (const [url, path] of Object.entries(paths)) {
      assert.deepEqual(parseAbsoluteUrl(url), { host: 'a', port: 80, path }, url)
    }
    assert.deepEqual(parseAbsoluteUrl('http://[::1]:81/'), { host: '::1', port: 81, path: '/' })
    assert.deepEqual(parseAbsoluteUrl('http://[::1]/'), { host: '::1', port: 80, path: '/' })
    assert.deepEqual(parseAbsoluteUrl('http://a:/'), { host: 'a', port: 80, path: '/' })
  })

  test('is none for other schemes, and for a URL that hides its host', () => {
    const urls = ['/path', '*', 'https://a/', 'ftp://a/', 'http://', 'http:///a', 'http://u@a/', 'http://u:p@a/']
    for (const url of [...urls, 'http://a\\@b/', 'http://127.0.0.1:80\\@example.com/', 'http://a:80:80/']) {
      assert.equal(parseAbsoluteUrl(url), undefined, url)
    }
  })
})
