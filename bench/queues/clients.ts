import { openHiveReceiver, openHiveSender } from './hive.ts'
import { openPostgresReceiver, openPostgresSender } from './postgres.ts'
import type { QueueAddress, Receiver, Sender } from './queue.ts'
import { openRedisReceiver, openRedisSender } from './redis.ts'

const SENDERS = { hive: openHiveSender, redis: openRedisSender, postgres: openPostgresSender }
const RECEIVERS = { hive: openHiveReceiver, redis: openRedisReceiver, postgres: openPostgresReceiver }

/** Connects as the sending client of a queue. */
export const openSender = (address: QueueAddress): Promise<Sender> => SENDERS[address.kind](address)

/** Connects as the receiving client of a queue. */
export const openReceiver = (address: QueueAddress): Promise<Receiver> => RECEIVERS[address.kind](address)
