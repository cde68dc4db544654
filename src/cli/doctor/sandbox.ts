import type { SandboxProbe } from '../cli.ts'
import { type Check, fail, ok, warn } from './check.ts'

const LIMITS = ['memory', 'cpu', 'pids'] as const

/** Whether a throw-away sandbox started and ended, as the daemon itself tries it: a version number proves nothing. */
export function checkSandbox({ problems }: SandboxProbe, uid: number): Check {
  const who = uid === 0 ? 'as root, under another uid' : `as uid ${uid}`
  return problems.length === 0
    ? ok('sandbox', `starts and ends, ${who}`)
    : fail('sandbox', problems.map(({ what }) => what).join('; '), problems.map(({ fix }) => fix).join('; '))
}

/** Whether memory, processor and processes of an agent can be limited. */
export function checkLimits({ limits }: SandboxProbe): Check {
  const missing = LIMITS.filter((limit) => !limits.includes(limit))
  return missing.length === 0
    ? ok('limits', LIMITS.join(', '))
    : warn('limits', `${missing.join(', ')} cannot be limited here`, 'run as root, or as a service with Delegate=yes')
}
