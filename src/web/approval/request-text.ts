import type { Approval } from '../../wire/approvals.ts'

const REQUESTS: Readonly<Record<Approval['kind'], string>> = {
  spawn: 'a new agent',
  init_config: 'a first configuration for',
  apply_commit: 'a change of the configuration of',
}

/** What is asked for, in words: `a new agent alice`. */
export const requestText = ({ kind, agent }: Pick<Approval, 'kind' | 'agent'>): string => `${REQUESTS[kind]} ${agent}`

const EFFECTS: Readonly<Record<Approval['kind'], string>> = {
  spawn: 'Approving makes it with the default configuration, or brings it back with the one that it had.',
  init_config:
    'Approving makes a repository for its configuration. The agent runs only once you have approved what is written there.',
  apply_commit: 'What it changes is not known any more.',
}

/** What approving leads to, for one that has no change to look at. */
export const effectText = ({ kind }: Pick<Approval, 'kind'>): string => EFFECTS[kind]
