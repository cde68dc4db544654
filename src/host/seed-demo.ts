import type { Log } from '../kit/log.ts'
import { errorText } from '../wire/errors.ts'
import { MANAGER, OPERATOR } from '../wire/names.ts'
import type { Lifecycle } from './actions/lifecycle.ts'
import type { Broker } from './broker/broker.ts'

/** Gives a new demo two agents and a first task, so that there is something to see. Never rejects. */
export async function seedDemo(lifecycle: Lifecycle, broker: Broker, log: Log): Promise<void> {
  try {
    await Promise.all(['alice', 'bob'].map((name) => lifecycle.spawn(name)))
    await broker.send(OPERATOR, { to: MANAGER, body: 'Show me the team at work.' })
  } catch (error) {
    // The hive itself works: the operator sees what is missing from it.
    log.error({ error: errorText(error) }, 'the demo could not be set up')
  }
}
