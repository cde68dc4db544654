import { lookup, Resolver } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import type { Surroundings } from './policy.ts'
import { createAddressTest } from './public-address.ts'

const TIMEOUT_MS = 4_000

/**
 * The world as this machine sees it. Names that agents ask for go to the name servers directly, not through the system's
 * resolver: its few threads are shared, and one agent with slow names would hold up all. They are read anew each time,
 * since the machine may have changed its network.
 */
export const machineSurroundings = (servers?: readonly string[]): Surroundings => ({
  lookUp: async (host) => {
    if (host === 'localhost' || host.endsWith('.localhost')) return ['127.0.0.1', '::1']
    const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 })
    if (servers) resolver.setServers(servers)
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    if (addresses.length === 0) throw (answers[0] as PromiseRejectedResult).reason
    return addresses
  },
  lookUpEndpoint: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  isOwnAddress: (address) => createAddressTest(ownAddresses())(address),
})

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((found) => (found ?? []).map(({ address }) => address))
