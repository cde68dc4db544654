import { setTimeout as sleep } from 'node:timers/promises'
import { type ModelServer, openModelServer } from '../src/demo/model-server.ts'
import type { Fault, Rule, Scenarios } from '../src/demo/scenario.ts'
import { findClaude } from '../src/host/app-dir.ts'

const FAULTS: Fault[] = [
  'prompt_too_long',
  'credit',
  'unauthorized',
  'forbidden',
  'no_such_model',
  'too_large',
  'rate_limited',
  'quota',
  'server_error',
  'overloaded',
  'drop',
  'stall',
  'refuse',
]

const SEND = 'mcp__hyperhive__send'

/** Every agent of a test does what a line of its message says. */
export const obedient: Rule[] = [
  { body: '^(?:> )?say (.*)', do: [{ say: '{1}' }] },
  {
    body: '^(?:> )?bash (.*)',
    do: [{ call: 'Bash', with: { command: '{1}', description: 'x' } }, { say: 'It said: {result}' }],
  },
  {
    body: '^(?:> )?send (\\S+) (.*)',
    do: [{ call: SEND, with: { to: '{1}', body: '{2}', reply_to: '{id}' } }, { say: 'Sent: {result}' }],
  },
  { body: '^(?:> )?recv (\\d+)', do: [{ call: 'mcp__hyperhive__recv', with: {} }, { say: 'Got: {result}' }] },
  { body: '^(?:> )?mumble', do: [{ mumble: { forMs: 60_000, everyMs: 50 } }] },
  { body: '^(?:> )?think (\\d+)', do: [{ mumble: { forMs: 2_000, everyMs: 50 } }] },
  ...FAULTS.flatMap((fault): Rule[] => [
    { body: `^(?:> )?fault ${fault} once`, do: [{ fault, times: 1 }, { say: 'Past it.' }] },
    { body: `^(?:> )?fault ${fault}`, do: [{ fault }] },
  ]),
  { do: [{ say: 'Noted.' }] },
]

export interface TestModel extends ModelServer {
  /** Resolves when a request held `text` that had not been waited for. */
  asked(text: string): Promise<void>
}

/** A scripted model whose agents do what they are told. */
export async function openTestModel(scenarios: Scenarios = {}): Promise<TestModel> {
  const server = await openModelServer({
    port: 0,
    scenarios: { default: { about: '', rules: obedient }, ...scenarios },
  })
  let from = 0
  return Object.assign(server, {
    async asked(text: string) {
      for (;;) {
        const index = server.requests.findIndex(
          ({ body }, at) => at >= from && JSON.stringify(body.messages).includes(text),
        )
        if (index >= 0) {
          from = index + 1
          return
        }
        await sleep(5)
      }
    },
  })
}

export const findTestClaude = (): string => findClaude().path
