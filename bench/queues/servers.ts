import { openHive } from './hive.ts'
import { openPostgres } from './postgres.ts'
import type { Queue } from './queue.ts'
import { openRedis } from './redis.ts'

const OPEN = { hive: openHive, redis: openRedis, postgres: openPostgres }

/** Starts the named servers, all without names; `stack` ends them. */
export async function openQueues(stack: AsyncDisposableStack, names: readonly string[]): Promise<[Queue, ...Queue[]]> {
  const queues: Queue[] = []
  for (const [name, open] of Object.entries(OPEN)) {
    if (names.length === 0 || names.includes(name)) queues.push(stack.use(await open()))
  }
  const [first, ...others] = queues
  if (!first) throw new Error(`no such queue: ${names.join(', ')}; there are ${Object.keys(OPEN).join(', ')}`)
  return [first, ...others]
}
