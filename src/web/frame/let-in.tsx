import { type FormEvent, useState } from 'react'
import { tokenIn } from '../api/token.ts'
import { Button } from '../ui/button.tsx'

/** For a browser that was not let in yet, or not any more. */
export function LetIn({ wasRefused, onToken }: { wasRefused: boolean; onToken: (token: string) => void }) {
  const [text, setText] = useState('')
  const [isWrong, setWrong] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const token = tokenIn(text)
    if (token === undefined) setWrong(true)
    else onToken(token)
  }
  return (
    <main className="mx-auto flex min-h-dvh max-w-lg flex-col justify-center gap-3 p-4">
      <h1 className="text-xl">hyperhive</h1>
      <p>
        {wasRefused
          ? 'The link that this browser came with opens nothing any more.'
          : 'This browser has no link to the hive yet.'}{' '}
        On the hive’s machine, <code className="font-mono text-accent">hive open</code> gives one.
      </p>
      <form onSubmit={submit} className="flex flex-wrap gap-2">
        <input
          aria-label="Link"
          aria-invalid={isWrong}
          aria-describedby="link-problem"
          placeholder="or paste the link here"
          autoComplete="off"
          value={text}
          onChange={({ target }) => setText(target.value)}
          className="min-w-0 flex-1"
        />
        <Button type="submit" look="main">
          Open
        </Button>
      </form>
      <p id="link-problem" role="alert" className="text-err">
        {isWrong && 'That is no link of a hive: copy all of it.'}
      </p>
    </main>
  )
}
