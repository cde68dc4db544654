import { lookup, Resolver } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import type { Surroundings } from './policy.ts'
import { createRangeTest } from './public-address.ts'

const TIMEOUT_MS = 4_000

/** A wider one is a route, not a network of neighbours (a VPN may claim the whole internet). */
const WIDEST = { IPv4: 8, IPv6: 16 }

/**
 * The world as this machine sees it. Names that agents ask for go to the name servers directly, not through the system's
 * resolver: its few threads are shared, and one agent with slow names would hold up all. They are read anew each time,
 * since the machine may have changed its network.
 */
export function machineSurroundings(servers?: readonly string[]): Surroundings {
  const underWay = new Map<string, Promise<string[]>>()
  return {
    async lookUp(host) {
      if (host === 'localhost' || host.endsWith('.localhost')) return ['127.0.0.1', '::1']
      const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 })
      if (servers) resolver.setServers(servers)
      const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
      const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
      if (addresses.length === 0) throw (answers[0] as PromiseRejectedResult).reason
      return addresses
    },
    // Here the threads are needed; whoever asks for the same name meanwhile takes none.
    lookUpEndpoint(host) {
      const known = underWay.get(host)
      if (known) return known
      const found = lookUpAll(host).finally(() => underWay.delete(host))
      underWay.set(host, found)
      return found
    },
    isInOwnNetwork: (address) => createRangeTest(ownNetworks())(address),
  }
}

const lookUpAll = async (host: string): Promise<string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address)

const ownNetworks = (): string[] =>
  Object.values(networkInterfaces()).flatMap((found) =>
    (found ?? []).map(({ address, cidr, family }) => {
      const isNetwork = cidr !== null && Number(cidr.split('/')[1]) >= WIDEST[family]
      return isNetwork ? cidr : `${address}/${family === 'IPv4' ? 32 : 128}`
    }),
  )
