import type { Rule, Step } from '../scenario.ts'

export const send = (to: string, body: string): Step => ({ call: 'mcp__hyperhive__send', with: { to, body } })

/** Sends to `to` in answer to the message of the turn. */
export const answer = (to: string, body: string): Step => ({
  call: 'mcp__hyperhive__send',
  with: { to, body, reply_to: '{id}' },
})

/** Ends a turn in which the hive refused something. */
export const REFUSED: Rule = {
  result: '^(rate_limited|inbox_full|chain_paused|not_found|forbidden|conflict|too_many|bad_input)',
  do: [{ say: 'It was refused, so I stop here: {result}' }],
}

/** Ends a turn without a message: nobody answers an answer. */
export const NOTED: Rule = { do: [{ say: 'Noted.' }] }

/** Tells the operator who this is and `what` it does, and starts nothing. */
export const greetOperator = (what: string): Rule => ({
  standing: 'operator',
  do: [answer('operator', `I am {label}: ${what} A script plays me; write to manager to see the team at work.`)],
})
