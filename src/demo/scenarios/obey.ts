import { FAULT_NAMES } from '../faults.ts'
import type { Rule, Scenario } from '../scenario.ts'

const SEND = 'mcp__hyperhive__send'

const faults: Rule[] = FAULT_NAMES.map((fault) => ({
  body: `^fault ${fault}(?: (?<times>\\d+))?$`,
  do: [{ fault, times: '{times}' }, { say: 'Past it.' }],
}))

/** Plays every agent that has no scenario of its own: does what the one line of its message says. */
export const obey: Scenario = {
  about:
    'say TEXT · bash COMMAND · send TO TEXT · recv [SECONDS] · loop WITH · mumble MS · stall [MS] · fault NAME [TIMES]',
  rules: [
    { body: '^say (.+)$', do: [{ say: '{1}' }] },
    {
      body: '^bash (.+)$',
      do: [{ call: 'Bash', with: { command: '{1}', description: 'As told' } }, { say: '{result}' }],
    },
    { body: '^send (\\S+) (.+)$', do: [{ call: SEND, with: { to: '{1}', body: '{2}' } }, { say: 'Sent: {result}' }] },
    {
      body: '^recv(?: (?<seconds>\\d+))?$',
      do: [{ call: 'mcp__hyperhive__recv', with: { wait_seconds: '{#seconds}' } }, { say: 'Got: {result}' }],
    },
    {
      body: '^loop (\\S+)$',
      do: [{ call: SEND, with: { to: '{1}', body: 'loop {label}' } }, { say: 'Sent: {result}' }],
    },
    { body: '^mumble (\\d+)$', do: [{ mumble: { forMs: '{1}', everyMs: 50 } }] },
    {
      body: '^stall(?: (?<ms>\\d+))?$',
      do: [{ say: 'Silent.' }, { fault: 'stall', times: 1, ms: '{ms}' }, { say: 'Back.' }],
    },
    ...faults,
    {
      // A person is told what can be done here; an answer to an agent might never end.
      standing: 'operator',
      do: [
        {
          call: SEND,
          with: {
            to: 'operator',
            body: 'I am {label}, played by a script. Tell me: say hello, or: bash ls',
            reply_to: '{id}',
          },
        },
        { say: 'Answered.' },
      ],
    },
    { do: [{ say: 'Noted.' }] },
  ],
}
