import { useState } from 'react'
import type { Agent } from '../../wire/things.ts'
import { useIsLive } from '../api/live.ts'
import { quietly, useRun } from '../api/use-deed.ts'
import { Menu, type MenuEntry } from '../ui/menu.tsx'
import { DestroyDialog } from './destroy-dialog.tsx'

/** What can be done to an agent in the state that it is in; one thing at a time. */
export function AgentMenu({ agent }: { agent: Agent }) {
  const { name, role, desired, paused, parked, operation, turn } = agent
  const [isDestroying, setDestroying] = useState(false)
  const isLive = useIsLive()
  const deeds = useAgentDeeds(name)
  const entry = (label: string, deed: () => Promise<unknown>, isDanger = false): MenuEntry => ({
    label,
    isDanger,
    isDisabled: !isLive || operation !== null,
    run: () => quietly(deed()),
  })
  const isRunning = desired === 'running'
  const entries = () => [
    ...(turn ? [{ ...entry('Cancel turn', deeds.cancel), isDisabled: !isLive }] : []),
    ...(isRunning ? [] : [entry('Start', deeds.start)]),
    ...(paused ? [entry('Resume', deeds.resume)] : [entry('Pause', deeds.pause)]),
    ...(parked ? [entry('Go on now', deeds.unpark)] : []),
    ...(isRunning
      ? [
          entry('Restart after its turn', deeds.restart),
          entry('Rebuild', deeds.rebuild),
          entry('Compact context', deeds.compact),
          entry('New session', deeds.newSession),
          entry('Kill after its turn', deeds.kill, true),
          entry('Kill now', deeds.killNow, true),
        ]
      : []),
    ...(role === 'manager'
      ? []
      : [{ label: 'Destroy…', isDanger: true, isDisabled: !isLive, run: () => setDestroying(true) }]),
  ]
  return (
    <>
      <Menu label={`Actions for ${name}`} entries={entries} />
      {isDestroying && <DestroyDialog agent={name} onClose={() => setDestroying(false)} />}
    </>
  )
}

/** The operations on one agent, each under the verb of its command. */
export function useAgentDeeds(agent: string) {
  const run = useRun()
  return {
    start: () => run('start', { agent }, `${agent} runs`),
    kill: () => run('kill', { agent }, `${agent} is stopped`),
    killNow: () => run('kill', { agent, now: true }, `${agent} is stopped`),
    restart: () => run('restart', { agent }, `${agent} was restarted`),
    rebuild: () => run('rebuild', { agent }, `${agent} is on what is current`),
    pause: () => run('pause', { agent }, `${agent} is paused`),
    resume: () => run('resume', { agent }, `${agent} goes on`),
    unpark: () => run('unpark', { agent }, `${agent} goes on`),
    cancel: () => run('cancel', { agent }, `The turn of ${agent} is cancelled`),
    compact: () => run('compact', { agent }, `${agent} shortens its context`),
    newSession: () => run('new_session', { agent }, `${agent} has a fresh session`),
  }
}
