import { BlockList, isIP } from 'node:net'

/** Ranges that are not the public internet: IANA special-purpose registries, and what can hide an IPv4 address in an IPv6 one. */
const NOT_PUBLIC_4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
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
/** Of IPv6 only global unicast is public at all; these parts of it are not. */
const NOT_PUBLIC_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20', '2620:4f:8000::/48']

const notPublic = new BlockList()
const globalUnicast = new BlockList()
for (const range of NOT_PUBLIC_4) addRange(notPublic, range, 'ipv4')
for (const range of NOT_PUBLIC_6) addRange(notPublic, range, 'ipv6')
addRange(globalUnicast, '2000::/3', 'ipv6')

function addRange(list: BlockList, range: string, family: 'ipv4' | 'ipv6'): void {
  const [address, prefix] = range.split('/')
  list.addSubnet(address as string, Number(prefix), family)
}

/** Whether an address is on the public internet: not loopback, private, link-local, shared, reserved, or a disguise of one. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !notPublic.check(address, 'ipv4')
  return isIP(address) === 6 && globalUnicast.check(address, 'ipv6') && !notPublic.check(address, 'ipv6')
}
