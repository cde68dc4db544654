import { RotateCcw } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useHive, useLive } from '../../api/live.ts'
import { usePreferences } from '../../frame/preferences.tsx'
import { Button } from '../../ui/button.tsx'
import { useToast } from '../../ui/toast.tsx'
import { visibleLine } from '../../ui/visible.ts'
import { openScreen, type Screen } from './screen.ts'
import { type LinkState, TerminalLink } from './terminal-link.ts'

/** A shell in the sandbox of an agent, as long as the panel is open. */
export function TerminalPanel({ agent }: { agent: string }) {
  const isOn = useLive(({ state }) => state?.status.terminal ?? false)
  return isOn ? (
    <OpenTerminal agent={agent} key={agent} />
  ) : (
    <p className="p-3 text-dim">
      Terminals are off. <code className="font-mono text-xs">"terminal": true</code> in the config file of the hive
      allows them, from the next start of the daemon on.
    </p>
  )
}

function OpenTerminal({ agent }: { agent: string }) {
  const { call } = useHive()
  const { theme } = usePreferences()
  const toast = useToast()
  const onLost = useRef(toast.error)
  onLost.current = toast.error
  const [state, setState] = useState<LinkState>({ is: 'opening' })
  const [attempt, setAttempt] = useState(0)
  const place = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const screen = useRef<Screen>(null)

  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt is another terminal
  useEffect(() => {
    const left = new AbortController()
    const link = new TerminalLink({
      call,
      agent,
      show: (bytes) => opened.show(bytes),
      onState: setState,
      onLost: (error) => onLost.current(error),
    })
    const opened = openScreen(place.current as HTMLDivElement, {
      onType: (bytes) => link.type(bytes),
      onSize: (size) => link.resize(size),
      onLeave: () => button.current?.focus(),
    })
    screen.current = opened
    opened.focus()
    const { cols, rows } = opened.size
    void link.run({ cols, rows }, left.signal)
    return () => {
      left.abort()
      opened[Symbol.dispose]()
    }
  }, [call, agent, attempt])

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are those of the theme
  useEffect(() => screen.current?.recolour(), [theme])

  return (
    <div className="flex min-h-80 flex-1 flex-col">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-1">
        <span role="status" className="min-w-0 flex-1 break-words">
          <StateText state={state} />
        </span>
        <Button ref={button} onClick={() => setAttempt(attempt + 1)}>
          <RotateCcw size={14} aria-hidden="true" /> New terminal
        </Button>
      </div>
      <div className="flex min-h-0 flex-1 flex-col bg-bg py-1 pl-2">
        <div ref={place} className="min-h-0 flex-1 overflow-hidden" />
      </div>
    </div>
  )
}

function StateText({ state }: { state: LinkState }) {
  switch (state.is) {
    case 'opening':
      return <span className="text-dim">Opening…</span>
    case 'open':
      return (
        <span className="text-dim">
          As the agent, in its sandbox. <kbd className="font-mono">F6</kbd> leaves.
        </span>
      )
    case 'cut':
      return <span className="text-accent">The hive does not answer; the terminal goes on when it does.</span>
    case 'ended':
      return (
        <span className="text-err">
          Ended: {visibleLine(state.why)}
          {state.hint !== undefined && <span className="text-dim"> · {visibleLine(state.hint)}</span>}
        </span>
      )
  }
}
