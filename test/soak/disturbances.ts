import type { Agent } from '../../src/wire/things.ts'
import type { TestHive } from '../hive.ts'
import type { Random } from './random.ts'

type Host = Awaited<ReturnType<TestHive['host']>>

/** Something that goes wrong, or that the operator does; what it leaves undone is made good by `calm`. */
export interface Disturbance {
  readonly name: string
  /** How often it comes, compared with the others. */
  readonly weight: number
  act(hive: TestHive, agent: string, random: Random): Promise<unknown> | unknown
}

const onHost = (act: (host: Host, agent: string) => Promise<unknown>) => async (hive: TestHive, agent: string) =>
  act(await hive.host(), agent)

const signal = (hive: TestHive, agent: string, which: 'harness' | 'engine', name: NodeJS.Signals): void => {
  const pid = findProcesses(hive, agent)?.[which]
  if (pid) process.kill(pid, name)
}

/** Undefined while the agent is on its way. */
export function findProcesses(hive: TestHive, agent: string): ReturnType<TestHive['processes']> | undefined {
  try {
    return hive.processes(agent)
  } catch {
    return undefined
  }
}

/** Processes that die or hang, whatever they were doing. */
const deaths: Disturbance[] = [
  { name: 'kill the harness', weight: 2, act: (hive, agent) => signal(hive, agent, 'harness', 'SIGKILL') },
  { name: 'kill the engine', weight: 3, act: (hive, agent) => signal(hive, agent, 'engine', 'SIGKILL') },
  { name: 'stop the engine', weight: 1, act: (hive, agent) => signal(hive, agent, 'engine', 'SIGSTOP') },
]

export const daemonDeath: Disturbance = {
  name: 'kill the daemon',
  weight: 1,
  async act(hive) {
    await hive.kill()
    await hive.start()
  },
}

/** The provider is not to be had, for somebody or for everybody. */
const outages: Disturbance[] = [
  {
    name: 'overload',
    weight: 2,
    act: ({ model }) => model.failNext({ fault: 'overloaded' }, { times: 20 }),
  },
  {
    name: 'refused login',
    weight: 1,
    act: ({ model }, agent) => model.failNext({ fault: 'unauthorized' }, { agent, times: 6 }),
  },
  {
    name: 'quota',
    weight: 1,
    act: ({ model }, agent) => model.failNext({ fault: 'quota', resetsInSeconds: 3 }, { agent, times: 2 }),
  },
]

const operator: Disturbance[] = [
  { name: 'cancel', weight: 2, act: onHost((host, agent) => host.cancel({ agent })) },
  { name: 'restart', weight: 1, act: onHost((host, agent) => host.restart({ agent })) },
  { name: 'restart now', weight: 1, act: onHost((host, agent) => host.restart({ agent, now: true })) },
  {
    name: 'kill and start',
    weight: 1,
    act: onHost(async (host, agent) => {
      await host.kill({ agent, now: true })
      await host.start({ agent })
    }),
  },
  { name: 'rebuild', weight: 1, act: onHost((host, agent) => host.rebuild({ agent })) },
  { name: 'compact', weight: 1, act: onHost((host, agent) => host.compact({ agent })) },
  { name: 'new session', weight: 1, act: onHost((host, agent) => host.new_session({ agent })) },
  { name: 'pause', weight: 1, act: onHost((host, agent) => host.pause({ agent, now: true })) },
  { name: 'resume', weight: 1, act: onHost((host, agent) => host.resume({ agent })) },
  {
    name: 'emergency stop',
    weight: 0.5,
    act: onHost(async (host) => {
      await host.stop_all({ reason: 'trial' })
      await host.resume_all({})
    }),
  },
]

/** `withDaemon`: the daemon is killed too. */
export const disturbances = ({ withDaemon }: { withDaemon: boolean }): readonly Disturbance[] => [
  ...deaths,
  ...outages,
  ...operator,
  ...(withDaemon ? [daemonDeath] : []),
]

export function chooseDisturbance(among: readonly Disturbance[], random: Random): Disturbance {
  const all = among.reduce((sum, { weight }) => sum + weight, 0)
  let left = random.next() * all
  for (const one of among) {
    left -= one.weight
    if (left < 0) return one
  }
  return among[0] as Disturbance
}

/** What the operator does about an agent that shows why it does not go on. Gives what was done. */
export async function relieve(host: Host, { name, state, paused, parked }: Agent): Promise<string | undefined> {
  if (paused) {
    await host.resume({ agent: name })
    return 'resumed'
  }
  if (state === 'failed' || state === 'stopped') {
    await host.start({ agent: name })
    return 'started'
  }
  if (parked && parked.until === undefined) {
    await host.unpark({ agent: name })
    return 'unparked'
  }
}
