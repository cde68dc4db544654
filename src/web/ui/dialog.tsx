import { type FormEvent, lazy, type ReactNode, Suspense, useState } from 'react'
import { Button, type Look } from './button.tsx'

export interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ReactNode
}

const loadPopup = () => import('./dialog-popup.tsx')
const DialogPopup = lazy(() => loadPopup().then(({ DialogPopup }) => ({ default: DialogPopup })))

/** Fetches what a dialog is made of: one that a key opens has to be there for the next key. */
export const preloadDialog = (): void => void loadPopup().catch(() => {}) // Tried again, and said, when one opens.

/** A dialog over the page, open for as long as it is there. */
export const Dialog = (props: DialogProps) => (
  <Suspense>
    <DialogPopup {...props} />
  </Suspense>
)

/** A form in a dialog: what is asked, and the two ways out of it. */
export function FormDialog({
  title,
  verb,
  look = 'main',
  isReady = true,
  onSubmit,
  onClose,
  children,
}: {
  title: string
  verb: string
  look?: Look
  isReady?: boolean
  /** Closes when it resolves; when it rejects it stays, and whoever wrote it has said why. */
  onSubmit: () => Promise<unknown>
  onClose: () => void
  children: ReactNode
}) {
  const [isBusy, setBusy] = useState(false)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    try {
      await onSubmit()
      onClose()
    } catch {
      // Said in a toast by the operation that failed; what was typed is not lost.
      setBusy(false)
    }
  }
  return (
    <Dialog onClose={onClose} title={title}>
      <form onSubmit={submit} className="flex flex-col gap-3">
        {children}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look={look} disabled={!isReady || isBusy}>
            {verb}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
