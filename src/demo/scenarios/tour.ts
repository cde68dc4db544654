import type { Rule, Scenario, Step } from '../scenario.ts'
import { answer, greetOperator, NOTED, REFUSED, send } from './manners.ts'

const AGENT = 'scout'

/** Fits what the hive tells of the tour's agent; `rest` is a pattern on what follows its name in the JSON. */
const told = (event: string, rest: string): Pick<Rule, 'standing' | 'body'> => ({
  standing: 'system',
  body: `^\\{"event":"${event}",("id":(?<approval>\\d+),)?"agent":"${AGENT}",${rest}`,
})

const mayBeWritten = told('approval_resolved', '"kind":"init_config","status":"approved"')
const wasDenied = told('approval_resolved', '"kind":"(init_config|apply_commit)","status":"denied"')
// A scout that the operator made without a proposal has no tag.
const wasMade = told('spawned', '"ok":true.*"tag":"deployed/\\d+"')
const wasNotMade = told('spawned', '"ok":false.*"tag":"failed/(?<failed>\\d+)"')
const wasRolledBack = told('rebuilt', '"ok":false.*"tag":"failed/(?<failed>\\d+)"')
const isThere = { from: AGENT, body: '^Scout is here: (?<greeting>.+)' }
const isBack = { from: AGENT, body: '^Scout after approval (?<failed>\\d+): (?<greeting>.+)' }

/** Asks for the repository of the tour's agent. Refused, which ends the turn, while that waits or when it exists. */
export const askForScout: Step = {
  call: 'mcp__hyperhive__request_init_config',
  with: { name: AGENT, reason: 'The tour of the demo: an agent whose configuration you see before it runs.' },
}

/** Commits a configuration in the manager's clone and proposes it. */
const propose = (config: object, { subject, description }: { subject: string; description: string }): Step[] => [
  {
    call: 'Bash',
    with: {
      description: 'Write and commit a configuration',
      // The clone is made when its request is approved, at the same time as this turn begins.
      command: [
        `timeout 30 sh -c 'until [ -d /proposed/${AGENT} ]; do sleep 0.1; done'`,
        `cd /proposed/${AGENT} && cat > agent.json <<'END' && git commit --quiet --all --message='${subject}' && git show`,
        JSON.stringify(config, null, 2),
        'END',
      ].join('\n'),
    },
  },
  { call: 'mcp__hyperhive__request_apply_commit', with: { agent: AGENT, commit_ref: 'HEAD', description } },
]

const IS_ASKED = '^\\{"id":(?<asked>\\d+)\\}$'
const IS_PROPOSED = '^Approval (?<asked>\\d+): commit '

/**
 * Tells the operator to decide, in the turn that `when` began and once `result` says what waits. The commands come first:
 * `hive up` and `hive messages` have room for no more.
 */
const askOperator = (when: Pick<Rule, 'from' | 'standing' | 'body'>, result: string, about: string): Rule => ({
  ...when,
  result,
  do: [
    send('operator', `hive show {asked}, then hive approve {asked}: ${about}`),
    { say: 'It waits for the operator.' },
  ],
})

/** The last message to the operator. */
const end = (body: string): Step[] => [send('operator', body), { say: 'The tour is over.' }]

/**
 * What the manager does of the tour: a step for each decision of the operator, one message to them for each step, and
 * nothing about any other agent. It begins in a turn with `from`, with `askForScout`.
 */
export const tourRules = (from: string): Rule[] => [
  askOperator(
    { from },
    IS_ASKED,
    'I ask for one more agent, scout, which only you can decide. hive pending lists what waits; hive deny {asked} ends the tour.',
  ),
  {
    ...mayBeWritten,
    do: propose(
      { env: { GREETING: 'Hello' } },
      { subject: 'let scout greet', description: 'Scout gets a greeting, to say what its configuration tells it.' },
    ),
  },
  askOperator(
    mayBeWritten,
    IS_PROPOSED,
    'the configuration that I wrote for scout, as a diff. Nothing of it runs yet; once approved, scout is made with exactly that.',
  ),
  {
    ...wasMade,
    do: [send(AGENT, 'Welcome, scout. Tell me what your configuration lets you say.'), { say: 'Greeted.' }],
  },
  {
    ...isThere,
    do: [
      { think: 'Scout works. Now the operator may see what becomes of a configuration that does not.' },
      ...propose(
        { env: { GREETING: 'Bonjour' }, mcpServers: { compass: { command: '/config/compass' } } },
        {
          subject: 'break scout on purpose: there is no /config/compass',
          description:
            'Broken on purpose: its tool server compass does not exist. Approve it to see it fail and undo itself; scout goes on with what it has.',
        },
      ),
    ],
  },
  askOperator(
    isThere,
    IS_PROPOSED,
    'a change that is broken on purpose, to see it undo itself. Scout runs and says: {greeting}',
  ),
  {
    ...wasRolledBack,
    do: [
      send(AGENT, 'Approval {failed} was rolled back. What does your configuration let you say?'),
      { say: 'The broken one undid itself. I ask scout whether it is well.' },
    ],
  },
  {
    ...isBack,
    do: end(
      'hive show {failed}: it failed, and undid itself. Scout answers, and still says: {greeting}. That was the tour; hive deploys and hive audit have all of it.',
    ),
  },
  { ...wasNotMade, do: end('hive show {failed}: scout could not be made, and here is why. The tour ends here.') },
  {
    ...wasDenied,
    do: end('You denied approval {approval}, so nothing changes, and the tour ends here. Thank you for looking.'),
  },
]

const SAY_GREETING: Step = {
  call: 'Bash',
  with: { command: 'echo "$GREETING"', description: 'Look into the environment' },
}

/** The agent that the operator approves: says what its configuration tells it. */
export const scout: Scenario = {
  about: 'Says the greeting of its configuration when the manager asks.',
  rules: [
    REFUSED,
    { standing: 'manager', body: '^Welcome', do: [SAY_GREETING, answer('manager', 'Scout is here: {result}')] },
    {
      standing: 'manager',
      body: '^Approval (?<failed>\\d+) ',
      do: [SAY_GREETING, answer('manager', 'Scout after approval {failed}: {result}')],
    },
    greetOperator('I say what my configuration tells me.'),
    NOTED,
  ],
}
