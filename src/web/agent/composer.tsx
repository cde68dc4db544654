import { Send } from 'lucide-react'
import { type KeyboardEvent, useMemo, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { OPERATOR } from '../../wire/names.ts'
import type { Agent } from '../../wire/things.ts'
import { useIsLive, useLive } from '../api/live.ts'
import { useRun } from '../api/use-deed.ts'
import { useKeys } from '../frame/keys.ts'
import { Button } from '../ui/button.tsx'
import { useToast } from '../ui/toast.tsx'
import { useAgentDeeds } from './agent-menu.tsx'
import { parseLine, SLASH_COMMANDS, type SlashCommand, suggest } from './slash.ts'
import { useDraft } from './use-draft.ts'

/** Where the operator writes to an agent, or tells the hive what to do with it; `onClear` empties the view. */
export function Composer({ agent, onClear }: { agent: Agent; onClear: () => void }) {
  const { name, turn } = agent
  const [text, setText] = useDraft(name)
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string>()
  const isLive = useIsLive()
  const field = useRef<HTMLTextAreaElement>(null)
  const past = usePast(name)
  const say = useSay(name)
  const deeds = useAgentDeeds(name)
  useKeys({
    i: (event) => {
      event.preventDefault()
      field.current?.focus()
    },
    Escape: () => turn && text === '' && isLive && void deeds.cancel().catch(() => {}),
  })
  const change = (next: string) => {
    setText(next)
    setProblem(undefined)
  }
  const submit = async () => {
    const line = parseLine(text)
    if (line.is === 'view') {
      if (line.command === 'clear') onClear()
      // A slash alone has all of them suggested.
      return change(line.command === 'help' ? '/' : '')
    }
    if (line.is === 'wrong') setProblem(line.problem)
    if (line.is === 'nothing' || line.is === 'wrong' || isBusy || !isLive) return
    setBusy(true)
    try {
      await say(line)
      change('')
    } catch {
      // Why is shown; what was typed stays.
    } finally {
      setBusy(false)
    }
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return
    const [first] = suggest(text)
    if (event.key === 'Enter' && !event.shiftKey) void submit()
    else if (event.key === 'Tab' && !event.shiftKey && first) change(`/${first} `)
    else if (event.key === 'ArrowUp' && (text === '' || past.isShowing)) change(past.back(text))
    else if (event.key === 'ArrowDown' && past.isShowing) change(past.forth())
    else if (event.key === 'Escape' && text === '' && turn && isLive) void deeds.cancel().catch(() => {})
    else if (event.key === 'Escape' && text === '') field.current?.blur()
    else return past.leave()
    event.preventDefault()
  }
  return (
    <div className="border-t border-line bg-panel p-2">
      <Suggestions text={text} onPick={(command) => change(`/${command} `)} />
      <p id="composer-problem" role="alert" className="px-1 text-err empty:hidden">
        {problem}
      </p>
      <div className="flex items-end gap-2">
        <textarea
          ref={field}
          aria-label={`Message to ${name}`}
          aria-describedby="composer-problem"
          placeholder={
            turn ? 'Message the agent, or / for commands; Esc cancels the turn' : 'Message the agent, or / for commands'
          }
          rows={1}
          value={text}
          onChange={({ target }) => change(target.value)}
          onKeyDown={onKeyDown}
          className="field-sizing-content max-h-60 min-w-0 flex-1 resize-none font-mono"
        />
        <Button look="main" disabled={!isLive || isBusy || text.trim() === ''} onClick={() => void submit()}>
          <Send size={14} aria-hidden="true" /> Send
        </Button>
      </div>
    </div>
  )
}

const Suggestions = ({ text, onPick }: { text: string; onPick: (command: SlashCommand) => void }) => (
  <ul aria-label="Commands" className="mb-1 grid gap-0.5 empty:hidden">
    {suggest(text).map((command, index) => (
      <li key={command}>
        <button
          type="button"
          onClick={() => onPick(command)}
          className="flex w-full cursor-pointer gap-3 rounded px-2 py-0.5 text-left hover:bg-raise"
        >
          <span className="w-40 font-mono text-accent">
            /{command} {SLASH_COMMANDS[command].takes}
          </span>
          <span className="text-dim">{SLASH_COMMANDS[command].about}</span>
          {index === 0 && <kbd className="ml-auto font-mono text-xs text-faint">Tab</kbd>}
        </button>
      </li>
    ))}
  </ul>
)

/** Sends a message, or does what a command says. Rejects with what was shown. */
function useSay(agent: string) {
  const run = useRun()
  const deeds = useAgentDeeds(agent)
  const toast = useToast()
  const [, navigate] = useLocation()
  // The same until it arrived: sent again after a cut, it is delivered once.
  const key = useRef(randomKey())
  return async (line: Exclude<ReturnType<typeof parseLine>, { is: 'nothing' | 'wrong' | 'view' }>): Promise<void> => {
    if (line.is === 'message') {
      await run('send', { to: agent, body: line.body, key: `${key.current}:${digest(line.body)}` })
      key.current = randomKey()
      return
    }
    const { command, argument } = line
    if (command === 'model') {
      const { model, source } = await run('model', { agent, model: argument || undefined })
      toast.done(`The model of ${agent} is ${model}`, `by ${source}`)
    } else if (command === 'login') navigate(`/a/${agent}?panel=login`)
    else await deeds[command === 'new-session' ? 'newSession' : command]()
  }
}

const randomKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint32Array(3)), (part) => part.toString(36)).join('')

/** Tells one text from another, also where the browser has no cryptography: beyond localhost without TLS. */
const digest = (text: string): string => {
  let hash = 0
  for (const character of text) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0
  return hash.toString(36)
}

/** What the operator sent to the agent before, the newest first. */
function usePast(agent: string) {
  const messages = useLive((live) => live.messages)
  const sent = useMemo(
    () =>
      messages
        .filter(({ from, to }) => from === OPERATOR && to === agent)
        .map(({ body }) => body)
        .toReversed(),
    [messages, agent],
  )
  const place = useRef(-1)
  const move = (by: number) => {
    place.current = Math.max(-1, Math.min(place.current + by, sent.length - 1))
    return sent[place.current] ?? ''
  }
  return {
    get isShowing() {
      return place.current >= 0
    },
    back: (text: string) => (sent.length === 0 ? text : move(1)),
    forth: () => move(-1),
    leave: () => {
      place.current = -1
    },
  }
}
