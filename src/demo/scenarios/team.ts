import type { Scenario } from '../scenario.ts'
import { answer, greetOperator, NOTED, REFUSED, send } from './manners.ts'
import { askForScout, scout, tourRules } from './tour.ts'

const manager: Scenario = {
  about:
    'Whatever the operator writes, hands a small task to alice and bob, reports when it is done, and offers the tour of approvals.',
  rules: [
    REFUSED,
    ...tourRules('alice'),
    {
      standing: 'operator',
      do: [
        { think: 'The operator wants to see the team at work: alice looks around, bob checks what she finds.' },
        { say: 'Alice looks around and bob checks. I hand it out.' },
        send(
          'alice',
          'Look at the sandbox you live in, write what you find into /state/report.md, let bob check it, then tell me.',
        ),
        send('bob', 'Alice will ask you to check her report. Answer her, and tell me what you think.'),
        { say: 'Handed out. I report when both are done.' },
      ],
    },
    {
      from: 'alice',
      do: [
        { say: 'That is what the operator waits for.' },
        send('operator', 'The team introduced itself. Alice: {body} Bob checked it. Both keep their notes in /state.'),
        { say: 'Reported. Now something that only the operator can decide.' },
        askForScout,
      ],
    },
    NOTED,
  ],
}

const alice: Scenario = {
  about: 'Looks around in her sandbox, writes a report, has bob check it.',
  rules: [
    REFUSED,
    {
      standing: 'manager',
      do: [
        { say: 'Let me look around.' },
        {
          call: 'Bash',
          with: { command: 'uname -sr; nproc; ls /; tail -n +3 /proc/net/dev', description: 'Look at the sandbox' },
        },
        { call: 'Write', with: { file_path: '/state/report.md', content: '# What I found\n\n{result}\n' } },
        { call: 'Read', with: { file_path: '/state/report.md' } },
        send(
          'bob',
          'Please check: a sandbox of our own, system files that we cannot change, no network but the proxy. Right?',
        ),
        { say: 'Bob has it. He will wake me.' },
      ],
    },
    {
      from: 'bob',
      do: [
        { say: 'Bob agrees.' },
        send(
          'manager',
          'my sandbox has system files that I cannot change and no network but the proxy; details are in /state/report.md.',
        ),
        { say: 'Done.' },
      ],
    },
    greetOperator('I look at things and write reports.'),
    NOTED,
  ],
}

const bob: Scenario = {
  about: 'Checks what alice wrote.',
  rules: [
    REFUSED,
    { standing: 'manager', do: [{ say: 'I wait for alice, so my turn ends here.' }] },
    {
      from: 'alice',
      do: [
        { think: 'She says that system files cannot be changed. I try it.' },
        {
          call: 'Bash',
          with: { command: 'touch /usr/hello 2>&1; tail -n +3 /proc/net/dev', description: 'Check the claims' },
        },
        answer('alice', 'Checked, your report is right.'),
        send('manager', 'Alice’s report is right: I tried it in my own sandbox.'),
        { say: 'Done.' },
      ],
    },
    greetOperator('I check what others claim.'),
    NOTED,
  ],
}

/**
 * The agents of the demo. Every turn ends, and nobody answers an answer: after the manager's report, and after each step of
 * the tour, it is quiet until the operator does something.
 */
export const team = { manager, alice, bob, scout }
