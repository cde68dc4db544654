import { type FormEvent, useRef, useState } from 'react'
import { Link } from 'wouter'
import type { Question } from '../../wire/questions.ts'
import { quietly, useDeed } from '../api/use-deed.ts'
import { useOp } from '../api/use-op.ts'
import { useKeys } from '../frame/keys.ts'
import { Badge } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { Problem } from '../ui/query-view.tsx'
import { Ago, Until } from '../ui/time.tsx'
import { visible } from '../ui/visible.ts'
import { answerText, choose, NO_DRAFT } from './answer-text.ts'

/** A question to the operator, and its answer: options, words, or both. */
export function QuestionNeed({ question: brief, takesNumbers }: { question: Question; takesNumbers: boolean }) {
  const { question, problem, retry } = useWholeQuestion(brief)
  const { id, asker, askedAt, deadlineAt, options, multi } = question
  const [draft, setDraft] = useState(NO_DRAFT)
  const answer = useDeed('answer', `${asker} has your answer`)
  const cancel = useDeed('cancel_question', `${asker} is told that there is no answer`)
  const text = answerText(draft, options)
  const pick = (option: string) => setDraft((before) => choose(before, option, multi))
  const words = useRef<HTMLInputElement>(null)
  const pickByKey = (option: string) => (event: KeyboardEvent) => {
    event.preventDefault()
    pick(option)
    // From there Enter answers.
    words.current?.focus()
  }
  const keys = options.slice(0, 9).map((option, index) => [String(index + 1), pickByKey(option)] as const)
  useKeys(takesNumbers ? Object.fromEntries(keys) : {})
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (text !== '' && answer.canRun) quietly(answer.run({ id, answer: text }))
  }
  return (
    <form onSubmit={submit} className="flex flex-col gap-2 px-3 py-2">
      <p className="break-words whitespace-pre-wrap">
        <Badge tone="think">question</Badge>{' '}
        <Link href={`/a/${asker}`} className="font-semibold hover:text-accent">
          {asker}
        </Link>{' '}
        asks: {visible(question.question)} <Ago at={askedAt} />
        {deadlineAt !== null && (
          <span className="text-xs text-accent">
            {' '}
            expires <Until at={deadlineAt} />
          </span>
        )}
      </p>
      {problem && <Problem error={problem} retry={retry} />}
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        {options.map((option) => (
          <label key={option} className="flex items-center gap-1.5 break-words">
            <input
              type={multi ? 'checkbox' : 'radio'}
              name={`question-${id}`}
              checked={draft.chosen.includes(option)}
              onChange={() => pick(option)}
            />
            {visible(option)}
          </label>
        ))}
        <input
          ref={words}
          aria-label={`Answer to ${asker}`}
          placeholder={options.length > 0 ? 'or something else…' : 'Your answer'}
          value={draft.words}
          onChange={({ target }) => setDraft(({ chosen }) => ({ chosen, words: target.value }))}
          className="min-w-40 flex-1"
        />
        <Button look="quiet" disabled={!cancel.canRun} onClick={() => quietly(cancel.run({ id }))}>
          No answer
        </Button>
        <Button type="submit" look="main" disabled={text === '' || !answer.canRun || problem !== undefined}>
          Answer
        </Button>
      </div>
    </form>
  )
}

/** The list of what waits has the beginning of what is long: it is read, and answered, as it was asked. */
function useWholeQuestion(brief: Question) {
  const isCut = [brief.question, ...brief.options].some((text) => text.endsWith('…'))
  const { data, error, refetch } = useOp('questions', { agent: brief.asker }, { isOn: isCut })
  const whole = data?.questions.find(({ id }) => id === brief.id)
  return { question: whole ?? brief, problem: error ?? undefined, retry: () => void refetch() }
}
