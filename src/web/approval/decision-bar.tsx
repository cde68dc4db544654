import { useState } from 'react'
import { quietly, useDeed } from '../api/use-deed.ts'
import { useKeys } from '../frame/keys.ts'
import { Button } from '../ui/button.tsx'
import { FormDialog } from '../ui/dialog.tsx'
import { Words } from '../ui/words.tsx'
import type { Shown } from './approval-page.tsx'

/** The two decisions on what is on the screen: its ids go with the click, and the hive refuses any other. */
export function DecisionBar({
  shown,
  isOld,
  lookAgain,
  reason,
  setReason,
}: {
  shown: Shown
  isOld: boolean
  lookAgain: () => void
  /** To deny it: kept while the dialog is closed, and quotes of the diff come into it. */
  reason: string
  setReason: (reason: string) => void
}) {
  const { id, base, sha, kind } = shown.approval
  const approve = useDeed('approve')
  const [isDenying, setDenying] = useState(false)
  const canApprove = approve.canRun && !isOld && shown.problem === null && shown.diff?.truncated == null
  // Looks again when it worked, and when it did not: then something else is true than what was shown.
  const decide = () => canApprove && quietly(approve.run({ id, base, sha }).finally(lookAgain))
  useKeys({ 'Shift+A': decide, 'Shift+D': () => setDenying(true) })
  return (
    <div className="fixed inset-x-0 bottom-11 z-20 sm:bottom-0 flex justify-end gap-2 border-t border-line bg-panel p-2 lg:static lg:ml-auto lg:border-0 lg:p-0">
      <Button look="danger" disabled={isOld} onClick={() => setDenying(true)}>
        <Words>Deny…</Words>
        {reason !== '' && <span className="text-xs">with your words</span>}
        <kbd className="hidden font-mono text-xs lg:inline">⇧D</kbd>
      </Button>
      <Button look="main" disabled={!canApprove} onClick={decide}>
        <Words>{kind === 'apply_commit' ? 'Approve & deploy' : 'Approve'}</Words>
        <kbd className="hidden font-mono text-xs lg:inline">⇧A</kbd>
      </Button>
      {isDenying && (
        <DenyDialog {...{ shown, reason, setReason }} onDenied={lookAgain} onClose={() => setDenying(false)} />
      )}
    </div>
  )
}

function DenyDialog({
  shown,
  reason,
  setReason,
  onDenied,
  onClose,
}: {
  shown: Shown
  reason: string
  setReason: (reason: string) => void
  onDenied: () => void
  onClose: () => void
}) {
  const { id, requester } = shown.approval
  const deny = useDeed('deny', `#${id} is denied`)
  return (
    <FormDialog
      title={`Deny #${id}`}
      verb="Deny"
      look="danger"
      isReady={deny.canRun}
      onSubmit={() => deny.run({ id, reason }).finally(onDenied)}
      onClose={onClose}
    >
      <label className="flex flex-col gap-1">
        Why, for the {requester}
        <textarea rows={4} maxLength={4000} value={reason} onChange={({ target }) => setReason(target.value)} />
      </label>
    </FormDialog>
  )
}
