import { BlockList, isIP } from 'node:net'

/** Ranges that are not the public internet: the special-purpose registries of IANA, and the address at which Azure serves its metadata. */
const NOT_PUBLIC_4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
/**
 * Of IPv6 only global unicast is public at all: that leaves out mapped addresses and NAT64, which hide an IPv4 one.
 * Of it, these parts are not: Teredo and 6to4 hide one too.
 */
const GLOBAL_UNICAST_6 = '2000::/3'
const NOT_PUBLIC_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20']

const notPublic = blockList([...NOT_PUBLIC_4, ...NOT_PUBLIC_6])
const globalUnicast = blockList([GLOBAL_UNICAST_6])
const loopback = blockList(['127.0.0.0/8', '::1/128'])

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address, prefix] = range.split('/') as [string, string]
    list.addSubnet(address, Number(prefix), family(address))
  }
  return list
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6'
}

/** Whether an address is on the public internet: not loopback, private, link-local, shared, reserved, or a disguise of one. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0 || notPublic.check(address, family(address))) return false
  return family(address) === 'ipv4' || globalUnicast.check(address, 'ipv6')
}

export const isLoopback = (address: string): boolean => isIP(address) !== 0 && loopback.check(address, family(address))

/** Tells for each address, in whatever spelling, whether it is in one of `ranges` (`address/prefix`; the address may be any in it). */
export function createRangeTest(ranges: readonly string[]): (address: string) => boolean {
  const list = blockList(ranges)
  return (address) => isIP(address) !== 0 && list.check(address, family(address))
}
