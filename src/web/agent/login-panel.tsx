import { type FormEvent, useCallback, useEffect, useState } from 'react'
import type { LoginFlow, LoginMethod } from '../../wire/logins.ts'
import { useHive, useIsLive } from '../api/live.ts'
import { quietly, useDeed } from '../api/use-deed.ts'
import { Button } from '../ui/button.tsx'
import { Copy } from '../ui/copy.tsx'
import { Problem } from '../ui/query-view.tsx'
import { visible } from '../ui/visible.ts'

const HELD_SECONDS = 25

/** Logs an agent in, in three steps: begin, open the link, bring the code. */
export function LoginPanel({ agent }: { agent: string }) {
  const { flow, problem, take } = useLoginFlow(agent)
  const isOpen = flow !== undefined && flow !== null && ['starting', 'waiting', 'checking'].includes(flow.state)
  return (
    <section aria-label={`Login of ${agent}`} className="flex flex-col gap-3 p-3">
      {problem && <Problem error={problem} />}
      {flow && <FlowState flow={flow} />}
      {isOpen ? (
        <OpenFlow agent={agent} flow={flow} onFlow={take} />
      ) : (
        <Begin agent={agent} onFlow={take} isAgain={flow?.state === 'failed'} />
      )}
      {flow?.output && (
        <pre className="max-h-48 overflow-auto rounded bg-raise p-2 font-mono text-xs whitespace-pre-wrap text-dim">
          {visible(flow.output)}
        </pre>
      )}
    </section>
  )
}

type OnFlow = (flow: LoginFlow | null) => void

/** How the login goes, as it changes. */
function useLoginFlow(agent: string) {
  const { call } = useHive()
  const isLive = useIsLive()
  const [flow, setFlow] = useState<LoginFlow | null>()
  const [problem, setProblem] = useState<Error>()
  const take: OnFlow = useCallback(
    // An answer to a call may come after a newer one.
    (next) => setFlow((before) => (next && before && next.version < before.version ? before : next)),
    [],
  )
  useEffect(() => {
    if (!isLive) return
    const left = new AbortController()
    const follow = async () => {
      let after: number | undefined
      while (!left.signal.aborted) {
        const said = await call('login_status', { agent, after, wait_seconds: HELD_SECONDS }, { signal: left.signal })
        take(said.flow)
        after = said.flow?.version ?? 0
      }
    }
    setProblem(undefined)
    follow().catch((error) => left.signal.aborted || setProblem(error))
    return () => left.abort()
  }, [agent, call, isLive, take])
  return { flow, problem, take }
}

const FlowState = ({ flow: { state, problem } }: { flow: LoginFlow }) => (
  <p role="status">
    {WORDS[state]}
    {problem !== null && <span className="text-err"> {visible(problem)}</span>}
  </p>
)

const WORDS: Readonly<Record<LoginFlow['state'], string>> = {
  starting: 'The login begins…',
  waiting: 'Open the link, log in there, and bring the code.',
  checking: 'The code is being checked…',
  done: 'It is logged in.',
  failed: 'The login failed.',
  cancelled: 'The login was given up.',
}

function Begin({ agent, onFlow, isAgain }: { agent: string; onFlow: OnFlow; isAgain: boolean }) {
  const [method, setMethod] = useState<LoginMethod>('claudeai')
  const login = useDeed('login')
  const begin = () => login.run({ agent, method }).then(({ flow }) => onFlow(flow))
  return (
    <div className="flex flex-wrap items-center gap-2">
      <select
        aria-label="Kind of account"
        value={method}
        onChange={({ target }) => setMethod(target.value as LoginMethod)}
      >
        <option value="claudeai">subscription</option>
        <option value="console">console, pay per use</option>
      </select>
      <Button look="main" disabled={!login.canRun} onClick={() => quietly(begin())}>
        {login.isBusy ? 'Beginning…' : isAgain ? 'Log in again' : 'Log in'}
      </Button>
    </div>
  )
}

function OpenFlow({ agent, flow: { url, state }, onFlow }: { agent: string; flow: LoginFlow; onFlow: OnFlow }) {
  const [code, setCode] = useState('')
  const bring = useDeed('login_code')
  const cancel = useDeed('login_cancel')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    quietly(
      bring.run({ agent, code }).then(({ flow }) => {
        setCode('')
        onFlow(flow)
      }),
    )
  }
  return (
    <>
      {url !== null && (
        <div className="flex flex-wrap items-center gap-2">
          {/* The daemon lets pass what leads to the provider's own page, and nothing else. */}
          <a href={url} target="_blank" rel="noopener noreferrer" className="break-all text-info underline">
            {url}
          </a>
          <Copy text={url} label="Copy the link" />
        </div>
      )}
      <form onSubmit={submit} className="flex flex-wrap gap-2">
        <input
          aria-label="Code"
          placeholder="the code that the page shows"
          autoComplete="off"
          spellCheck={false}
          value={code}
          onChange={({ target }) => setCode(target.value)}
          className="min-w-0 flex-1 font-mono"
        />
        <Button type="submit" look="main" disabled={!bring.canRun || code.trim() === '' || state !== 'waiting'}>
          Submit
        </Button>
        <Button
          disabled={!cancel.canRun}
          onClick={() => quietly(cancel.run({ agent }).then(({ flow }) => onFlow(flow)))}
        >
          Cancel
        </Button>
      </form>
    </>
  )
}
