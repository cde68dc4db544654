import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createRangeTest, isLoopback, isPublicAddress } from './public-address.ts'

describe('a public address', () => {
  test('is one of the internet, at the edges of what is not too', () => {
    const four = ['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255']
    const more = ['128.0.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0', '223.255.255.255']
    for (const address of [...four, ...more, '2606:4700::1111', '2a00:1450:4001::1', '2001:4860:4860::8888']) {
      assert.ok(isPublicAddress(address), address)
    }
  })

  test('is not loopback, private, link-local, shared, reserved or metadata', () => {
    const four = [
      '0.0.0.0',
      '0.1.2.3',
      '10.0.0.0',
      '10.255.255.255',
      '100.64.0.0',
      '100.127.255.255',
      '100.100.100.200',
    ]
    const local = ['127.0.0.1', '127.255.255.255', '169.254.169.254', '172.16.0.0', '172.31.255.255', '192.168.1.1']
    const special = ['168.63.129.16', '192.0.0.192', '192.0.2.1', '192.88.99.1', '198.18.0.1', '198.19.255.255']
    const rest = ['198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255']
    for (const address of [...four, ...local, ...special, ...rest]) assert.ok(!isPublicAddress(address), address)
  })

  test('is no IPv6 address of such a kind, nor one that hides an IPv4 address', () => {
    const six = ['::', '::1', 'fe80::1', 'fc00::1', 'fd00:ec2::254', 'ff02::1', 'fec0::1', '2001:db8::1', '3fff::1']
    const hiding = [
      '::ffff:8.8.8.8',
      '::ffff:127.0.0.1',
      '::127.0.0.1',
      '64:ff9b::808:808',
      '64:ff9b:1::1',
      '2002:7f00:1::',
    ]
    for (const address of [...six, ...hiding, '2001::1', '2001:20::1', '100::1', '5f00::1', '4000::1']) {
      assert.ok(!isPublicAddress(address), address)
    }
  })

  test('is an address at all', () => {
    for (const text of ['', 'example.com', '127.1', '1.2.3', 'fe80::1%eth0x/']) assert.ok(!isPublicAddress(text), text)
  })

  test('is never one in a private network of IPv4, in no disguise', () => {
    const inPrivate = fc
      .tuple(
        fc.constantFrom([10], [127], [192, 168], [169, 254]),
        fc.array(fc.nat(255), { minLength: 3, maxLength: 3 }),
      )
      .map(([prefix, rest]) => [...prefix, ...rest].slice(0, 4))
    fc.assert(
      fc.property(inPrivate, (bytes) => {
        const dotted = bytes.join('.')
        const hex = Buffer.from(bytes).toString('hex')
        const groups = `${hex.slice(0, 4)}:${hex.slice(4)}`
        const disguises = [`::ffff:${dotted}`, `64:ff9b::${dotted}`, `2002:${groups}::`, `::${groups}`]
        return [dotted, ...disguises].every((address) => !isPublicAddress(address))
      }),
    )
  })
})

describe('other tests of addresses', () => {
  test('loopback is told from the rest', () => {
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) assert.ok(isLoopback(address), address)
    for (const address of ['10.0.0.1', '::2', 'localhost']) assert.ok(!isLoopback(address), address)
  })

  test('an address in a range is known in every spelling', () => {
    const isIn = createRangeTest(['5.6.7.8/24', '2a00::1/64', '9.9.9.9/32'])
    for (const address of ['5.6.7.8', '5.6.7.255', '::ffff:5.6.7.9', '2a00::1', '2a00:0:0:0:ff::2', '9.9.9.9'])
      assert.ok(isIn(address), address)
    for (const address of ['5.6.8.1', '2a00:0:0:1::1', '9.9.9.8', 'example.com']) assert.ok(!isIn(address), address)
  })
})
