import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { after, before, describe, test } from 'node:test'
import { machineSurroundings } from './name-servers.ts'

const TYPES = { A: 1, AAAA: 28 }
const NAMES: Record<string, Partial<Record<keyof typeof TYPES, number[]>>> = {
  'both.example': { A: [93, 184, 216, 34], AAAA: [0x26, 0x06, ...Array(13).fill(0), 0x11] },
  'four.example': { A: [8, 8, 8, 8] },
  'six.example': { AAAA: [0x26, 0x06, ...Array(13).fill(0), 0x12] },
}

/** Answers one question: the address that the name has, no address, or that there is no such name. */
function answer(query: Buffer): Buffer {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const question = query.subarray(12, at + 5)
  const type = query.readUInt16BE(at + 1) === TYPES.A ? 'A' : 'AAAA'
  const known = NAMES[labels.join('.').toLowerCase()]
  const address = known?.[type]
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(known ? 0x8180 : 0x8183, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(address ? 1 : 0, 6)
  if (!address) return Buffer.concat([header, question])
  const record = Buffer.from([0xc0, 12, 0, TYPES[type], 0, 1, 0, 0, 0, 60, 0, address.length, ...address])
  return Buffer.concat([header, question, record])
}

describe('the world as this machine sees it', { timeout: 30_000 }, () => {
  let server: Socket
  let asked = 0
  before(async () => {
    server = createSocket('udp4', (query, { port, address }) => {
      asked += 1
      server.send(answer(query), port, address)
    })
    server.bind(0, '127.0.0.1')
    await once(server, 'listening')
  })
  after(() => server.close())
  const surroundings = () => machineSurroundings([`127.0.0.1:${server.address().port}`])

  test('knows all addresses of a name, of either kind', async () => {
    assert.deepEqual(await surroundings().lookUp('both.example'), ['93.184.216.34', '2606::11'])
    assert.deepEqual(await surroundings().lookUp('four.example'), ['8.8.8.8'])
    assert.deepEqual(await surroundings().lookUp('six.example'), ['2606::12'])
    await assert.rejects(surroundings().lookUp('none.example'), { code: 'ENOTFOUND' })
  })

  test('takes what is called localhost for that, and asks nobody', async () => {
    const before = asked
    for (const host of ['localhost', 'a.localhost'])
      assert.deepEqual(await surroundings().lookUp(host), ['127.0.0.1', '::1'])
    assert.equal(asked, before)
  })

  test('looks an endpoint up once for all who ask at the same time', async () => {
    const { lookUpEndpoint } = surroundings()
    const [first, second] = [lookUpEndpoint('localhost'), lookUpEndpoint('localhost')]
    assert.equal(first, second)
    assert.match(String((await first)[0]), /^(127\.0\.0\.1|::1)$/)
    const later = lookUpEndpoint('localhost')
    assert.notEqual(later, first)
    await later
  })

  test('knows the addresses of this machine and the networks that it is part of', () => {
    const { isInOwnNetwork } = surroundings()
    const own = Object.values(networkInterfaces()).flatMap((found) => found ?? [])
    for (const { address } of own) assert.ok(isInOwnNetwork(address), address)
    assert.ok(isInOwnNetwork('127.255.0.1'))
    // An address for documentation of which no machine is a neighbour.
    assert.ok(!isInOwnNetwork('2001:db8:ffff::1'))
  })
})
