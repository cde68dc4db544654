import type { Approval } from '../../wire/approvals.ts'

const REQUESTS: Readonly<Record<Approval['kind'], string>> = {
  spawn: 'a new agent',
  init_config: 'a first configuration for',
  apply_commit: 'a change of the configuration of',
}

/** What is asked for, in words: `a new agent alice`. */
export const requestText = ({ kind, agent }: Pick<Approval, 'kind' | 'agent'>): string => `${REQUESTS[kind]} ${agent}`
