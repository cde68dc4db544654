import type { ReactNode } from 'react'
import { useLive } from '../api/live.ts'
import { quietly, useDeed } from '../api/use-deed.ts'
import { useAttention } from '../frame/attention.ts'
import { THEMES, usePreferences } from '../frame/preferences.tsx'
import { Button } from '../ui/button.tsx'
import { Panel } from '../ui/panel.tsx'
import { Ago } from '../ui/time.tsx'
import { useToast } from '../ui/toast.tsx'
import { BrowserNotices } from './browser-notices.tsx'

/** What this browser likes, and what the hive is. */
export function SettingsPage() {
  useAttention('Settings')
  return (
    <main className="mx-auto flex w-full max-w-3xl flex-1 flex-col gap-3 p-3">
      <h1 className="sr-only">Settings</h1>
      <Look />
      <Notifications />
      <About />
    </main>
  )
}

function Look() {
  const { theme, hasKeys, change } = usePreferences()
  return (
    <Panel title="Settings">
      <fieldset className="flex flex-wrap items-center gap-4 border-b border-line p-3">
        <legend className="sr-only">Theme</legend>
        <span className="w-24 text-dim">Theme</span>
        {THEMES.map((name) => (
          <label key={name} className="flex items-center gap-1.5">
            <input type="radio" name="theme" checked={theme === name} onChange={() => change({ theme: name })} />
            {name}
          </label>
        ))}
      </fieldset>
      <label className="flex items-center gap-1.5 p-3">
        <input type="checkbox" checked={hasKeys} onChange={({ target }) => change({ hasKeys: target.checked })} />
        single letters do something (press ? for the list)
      </label>
    </Panel>
  )
}

/** How one hears of what waits: from this browser, and from the sinks of the config file. */
function Notifications() {
  const test = useDeed('notify_test')
  const toast = useToast()
  const tryAll = async () => {
    const { sinks } = await test.run({})
    for (const { sink, problem } of sinks) {
      if (problem === null) toast.done(`${sink} took it`)
      else toast.problem(`${sink} did not take it`, problem)
    }
    if (sinks.length === 0) toast.problem('There is nowhere to send to', 'name sinks in the config file')
  }
  return (
    <Panel title="Notifications">
      <BrowserNotices />
      <p className="flex flex-wrap items-center gap-3 p-3">
        <span className="min-w-0 flex-1 text-dim">
          The hive notifies the sinks of its config file, such as ntfy or a webhook.
        </span>
        <Button disabled={!test.canRun} onClick={() => quietly(tryAll())}>
          Send a test
        </Button>
      </p>
    </Panel>
  )
}

function About() {
  const status = useLive(({ state }) => state?.status)
  if (!status) return null
  const { version, revision, startedAt, stateDir, runtime, model, network, slots } = status
  return (
    <Panel title="This hive">
      <dl className="grid grid-cols-[8rem_1fr] gap-y-1 p-3">
        <Fact name="version">
          {version} ({revision})
        </Fact>
        <Fact name="started">
          <Ago at={startedAt} />
        </Fact>
        <Fact name="state">{stateDir}</Fact>
        <Fact name="sandboxes">{runtime}</Fact>
        <Fact name="model">{model === 'demo' ? 'scripted; nothing is sent to Anthropic' : 'real'}</Fact>
        <Fact name="network">{network}</Fact>
        <Fact name="turns at once">
          {slots.used} of {slots.total}
        </Fact>
      </dl>
    </Panel>
  )
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <>
    <dt className="text-dim">{name}</dt>
    <dd className="font-mono text-xs break-all">{children}</dd>
  </>
)
