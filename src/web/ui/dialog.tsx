import { Dialog as Base } from '@base-ui/react/dialog'
import { type FormEvent, type ReactNode, useState } from 'react'
import { Button, type Look } from './button.tsx'

/** A dialog over the page. */
export const Dialog = ({
  isOpen,
  onClose,
  title,
  children,
}: {
  isOpen: boolean
  onClose: () => void
  title: ReactNode
  children: ReactNode
}) => (
  <Base.Root open={isOpen} onOpenChange={(open) => open || onClose()}>
    <Base.Portal>
      <Base.Backdrop className="fixed inset-0 z-40 bg-black/60" />
      <Base.Popup className="fixed top-1/2 left-1/2 z-40 max-h-[85dvh] w-[min(34rem,calc(100vw-1.5rem))] -translate-x-1/2 -translate-y-1/2 overflow-auto rounded-lg border border-line bg-panel p-4 shadow-xl">
        <Base.Title className="mb-3 text-base">{title}</Base.Title>
        {children}
      </Base.Popup>
    </Base.Portal>
  </Base.Root>
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
    <Dialog isOpen onClose={onClose} title={title}>
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
