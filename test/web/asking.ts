import type { Scenario } from '../../src/demo/scenario.ts'
import { obey } from '../../src/demo/scenarios/obey.ts'

/** Does what it is told; told to `choose`, it asks the operator, with two options. */
export const asking: Scenario = {
  ...obey,
  rules: [
    {
      body: '^choose (.+)$',
      do: [
        { call: 'mcp__hyperhive__ask_operator', with: { question: '{1}', options: ['eu', 'us'] } },
        { say: 'Asked.' },
      ],
    },
    ...obey.rules,
  ],
}
