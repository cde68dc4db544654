import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { addressesOf, assertReach, namesOf, readTls } from './addresses.ts'
import { assignPorts } from './agent-ports.ts'

const ALONE = { listen: [], allowedHosts: [], trustedProxy: false }

describe('where the dashboard is to be had', () => {
  test('on this machine alone, unless more was asked for', () => {
    assert.deepEqual(addressesOf([]), ['127.0.0.1', '::1'])
    assert.deepEqual(addressesOf(['192.168.1.5', '127.0.0.1']), ['127.0.0.1', '::1', '192.168.1.5'])
    assert.deepEqual(addressesOf(['0.0.0.0']), ['::1', '0.0.0.0'])
    assert.deepEqual(addressesOf(['::', '0.0.0.0']), ['::'])
  })

  test('S28: elsewhere only where nobody on the way can read along', () => {
    const tls = { cert: 'c', key: 'k' }
    for (const address of ['192.168.1.5', '0.0.0.0', '::', 'fe80::1', '10.0.0.1']) {
      const open = { ...ALONE, listen: [address] }
      assert.throws(() => assertReach(open), { code: 'bad_input', hint: /"tls".*"trustedProxy": true/ }, address)
      assertReach({ ...open, tls })
      assertReach({ ...open, trustedProxy: true })
    }
    assertReach({ ...ALONE, listen: ['127.0.0.2', '::1'] })
    for (const wrong of ['localhost', '', '1.2.3', '127.0.0.1:7000']) {
      assert.throws(() => assertReach({ ...ALONE, listen: [wrong], tls }), {
        code: 'bad_input',
        message: /no IP address/,
      })
    }
    for (const file of ['/nonexistent', import.meta.filename]) {
      assert.throws(() => readTls({ tls: { cert: file, key: file } }), { code: 'bad_input' })
    }
  })

  test('by the names that lead to it', () => {
    const own = ['localhost:7000', '127.0.0.1:7000', '[::1]:7000']
    assert.deepEqual([...namesOf(7000, ALONE).hosts], own)
    assert.deepEqual([...namesOf(80, ALONE).hosts], ['localhost', '127.0.0.1', '[::1]'])
    const reach = { ...ALONE, listen: ['192.168.1.5', '0.0.0.0'], allowedHosts: ['Hive.lan', 'other.lan:8443'] }
    const { hosts, origins } = namesOf(7000, { ...reach, tls: { cert: 'c', key: 'k' } })
    assert.deepEqual([...hosts], [...own, '192.168.1.5:7000', 'hive.lan:7000', 'other.lan:8443'])
    assert.ok([...origins].every((origin) => origin.startsWith('https://')))
  })

  test('behind a proxy, whose port is the usual one, also without one', () => {
    const { hosts, origins } = namesOf(7000, { ...ALONE, allowedHosts: ['hive.lan'], trustedProxy: true })
    assert.ok(hosts.has('hive.lan') && hosts.has('hive.lan:7000') && !hosts.has('lan'))
    assert.ok(origins.has('https://hive.lan') && origins.has('http://127.0.0.1:7000'))
    assert.ok(!origins.has('https://127.0.0.1:7000'))
  })
})

test('of agents with the same port the oldest has it, and none has the dashboard’s', () => {
  assert.deepEqual(
    [...assignPorts(['manager', 'a29', 'a90', 'alice'], 7000)],
    [
      [8000, 'manager'],
      [8765, 'a29'],
      [8879, 'alice'],
    ],
  )
  assert.deepEqual([...assignPorts(['a90', 'alice'], 8879)], [[8765, 'a90']])
})
